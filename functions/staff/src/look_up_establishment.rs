//! `look-up-establishment`: its account, who manages and reads it, whether that is contested, and its alerts.

use portal::domain::{Email, fund_day};
use portal::store::{
    AccountUsers, Alert, Batch, Contest, Grant, Invitation, Release, Resident, StaffAct, StoreError, User, Wanted,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};
use crate::lists::{alert, contest};
use crate::place::{Named, Place};

/// How many alerts are shown: the newest.
const ALERTS: i32 = 20;

impl Function {
    pub(crate) async fn look_up_establishment(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let place = self.place(&named).await?;
        let Place { account, seat } = &place;
        let act = StaffAct::EstablishmentLookedUp;
        self.note(&author, act, format!("establishment {} {}", seat.siret, seat.member_number), now).await?;

        let AccountUsers { grants, invitations, requests } = AccountUsers::of(&self.store, &seat.member_number).await?;
        let residents: Vec<Resident> = self.store.query_all(&Resident::all_of(&seat.siret)).await?;
        let alerts = self.store.query::<Alert>(&Alert::newest_of(&seat.siret, ALERTS)).await?.items;
        let contested: Option<Contest> = match &seat.contested {
            Some(contested) => self.store.get(&Contest::key_of(contested)).await?,
            None => None,
        };
        let release: Option<Release> = self.store.get(&Release::key_of(&seat.siret)).await?;
        let claim = place.claim().ok();
        let release = release.filter(|release| claim.as_ref().is_some_and(|(claim, _)| release.is_about(claim, now)));
        let manager = match &seat.manager {
            Some(manager) => {
                let user: Option<User> = self.store.get(&User::key_of(manager.user_id)).await?;
                json!({
                    "id": manager.user_id,
                    "email": user.map(|user| user.email.display()),
                    "civility": manager.civility,
                    "last_name": manager.last_name,
                    "since": manager.since,
                })
            }
            None => Value::Null,
        };
        let mut establishment = place.told();
        for (name, value) in [
            ("open", json!(seat.is_open(fund_day(now)))),
            ("headcount_band", json!(account.headcount_band)),
            ("contact_email", json!(account.contact_email.clone().map(displayed))),
            ("opened_on", json!(account.opened_on)),
            ("closed_on", json!(account.closed_on)),
            ("active", json!(account.active)),
        ] {
            establishment[name] = value;
        }
        let answer = json!({
            "establishment": establishment,
            "manager": manager,
            "users": self.people(&grants).await?,
            "invitations": invitations.iter().map(invited).collect::<Value>(),
            "requests": requests.iter().map(|request| json!({"id": request.user_id, "since": request.since})).collect::<Value>(),
            "belonging": residents.len(),
            "contest": contested.map(|contested| contest(&contested, true)),
            "release": release.map(|release| json!({
                "asked_by": release.staff, "at": release.at, "until": release.until(),
            })),
            "alerts": alerts.iter().map(alert).collect::<Value>(),
        });
        Ok(Done::quietly(act, answer))
    }

    /// The users behind grants, as they are now.
    async fn people(&self, grants: &[Grant]) -> Result<Value, StoreError> {
        let mut batch = Batch::new();
        let wanted: Vec<(&Grant, Wanted<User>)> =
            grants.iter().map(|grant| (grant, batch.want(User::key_of(grant.user_id)))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut people = Vec::new();
        for (grant, wanted) in &wanted {
            if let Some(user) = fetched.take(wanted)? {
                people.push(json!({
                    "id": user.user_id,
                    "email": user.email.display(),
                    "civility": user.civility,
                    "last_name": user.last_name,
                    "first_name": user.first_name,
                    "role": grant.role,
                    "since": grant.since,
                }));
            }
        }
        Ok(people.into())
    }
}

/// The contact address as people read it.
fn displayed(address: String) -> String {
    Email::canonical(address.clone()).map_or(address, |email| email.display())
}

/// Only the address: whoever was invited has not opened the account.
fn invited(invitation: &Invitation) -> Value {
    let Invitation { invitation_id, email, since, expires_at, .. } = invitation;
    json!({"id": invitation_id, "email": email.display(), "since": since, "expires_at": expires_at})
}

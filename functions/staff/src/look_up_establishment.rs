//! `look-up-establishment`: its account, who manages and reads it, whether that is contested, and its alerts.

use std::collections::{BTreeMap, BTreeSet};

use portal::domain::{Email, Id, fund_day};
use portal::store::{
    AccountEvent, AccountUsers, Alert, Batch, ClaimEnd, Contest, Establishment, Grant, Invitation, MemberVersion,
    PastClaim, Resident, StaffAct, StoreError, User, Wanted,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};
use crate::lists::{alert, contest};
use crate::place::{Named, Place};

/// How many alerts are shown: the newest.
const ALERTS: i32 = 20;

/// How many claims, and how many events about the role: the newest.
const CLAIMS: usize = 20;
const HISTORY: i32 = 50;

/// The most versions of the fund's record that are shown: the newest.
const VERSIONS: i32 = 20;

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
        let release = seat.release.as_ref().filter(|release| release.is_open(now));
        let history = AccountEvent::newest_of(&seat.member_number, HISTORY);
        let history = self.store.query::<AccountEvent>(&history).await?.items;
        let versions = MemberVersion::newest_of(&seat.member_number, VERSIONS);
        let versions = self.store.query::<MemberVersion>(&versions).await?.items;
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
                "asked_by": release.staff, "manager": release.user_id, "at": release.at, "until": release.until(),
            })),
            "claims": self.claims(seat).await?,
            "history": history.iter().map(happened).collect::<Value>(),
            "versions": versions.iter().map(said).collect::<Value>(),
            "alerts": alerts.iter().map(alert).collect::<Value>(),
        });
        Ok(Done::quietly(act, answer))
    }

    /// The claims of late, the newest first: who made them, where they are not erased, and how they ended.
    async fn claims(&self, seat: &Establishment) -> Result<Value, StoreError> {
        let claims: Vec<&PastClaim> = seat.claims.iter().take(CLAIMS).collect();
        let ids: BTreeSet<Id> = claims.iter().map(|claim| claim.user_id).collect();
        let mut batch = Batch::new();
        let wanted: Vec<Wanted<User>> = ids.iter().map(|user_id| batch.want(User::key_of(*user_id))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut users = BTreeMap::new();
        for wanted in &wanted {
            users.extend(fetched.take(wanted)?.map(|user| (user.user_id, user)));
        }
        let told = claims.into_iter().map(|claim| {
            let user = users.get(&claim.user_id);
            json!({
                "id": claim.user_id,
                "email": user.map(|user| user.email.display()),
                "civility": user.map(|user| user.civility),
                "last_name": user.map(|user| &user.last_name),
                "since": claim.since,
                "until": claim.until,
                "ended": claim.ended.map(ClaimEnd::as_str),
                "doubts": claim.doubts,
                "dismissed": claim.dismissed,
            })
        });
        Ok(told.collect())
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

/// What happened to the account's role, as the evidence has it.
fn happened(event: &AccountEvent) -> Value {
    json!({
        "event": event.event,
        "at": event.at,
        "user": event.subject,
        "by": event.actor,
        "detail": event.detail,
    })
}

/// A version of the fund's record of the member, and what it replaced.
fn said(version: &MemberVersion) -> Value {
    json!({
        "version": version.version,
        "at": version.booked_at,
        "said": version.said,
        "replaced": version.replaced,
        "contact_changed": version.contact_changed,
        "source": version.source,
        "batch_id": version.batch_id,
    })
}

/// Only the address: whoever was invited has not opened the account.
fn invited(invitation: &Invitation) -> Value {
    let Invitation { invitation_id, email, since, expires_at, .. } = invitation;
    json!({"id": invitation_id, "email": email.display(), "since": since, "expires_at": expires_at})
}

//! `release-manager`: the seat is taken from who sits in it. It takes two of the staff: the first call is an
//! intention that lasts a day, the second, under another name, does it.
//!
//! Who is released loses the role and their access, as they may be nobody of the establishment's; their colleagues
//! keep theirs, and the account may be claimed again (`docs/decisions/0065-releasing-a-manager.md`).

use portal::domain::Id;
use portal::environment::rng;
use portal::store::{
    AccountUsers, AuditEvent, Change, ClaimOf, Condition, Contest, ContestOutcome, EventKind, Grant, Outbox, Outcome,
    Record as _, Release, Role, StaffAct, Transaction, User, Wish, Witness,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Author, Fields, Refused, Trouble};
use crate::place::{Named, Place, changed_meanwhile};

impl Function {
    pub(crate) async fn release_manager(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let place = self.place(&named).await?;
        let (claim, manager) = place.claim()?;
        let manager = manager.user_id;
        let seen: Option<Release> = self.store.get(&Release::key_of(&claim.siret)).await?;
        match &seen {
            Some(release) if release.is_about(&claim, now) => {
                if release.is_by(&author.staff) {
                    return Err(second_person(release).into());
                }
                self.release(&place, &claim, manager, release, &author).await
            }
            _ => self.intend(&place, claim, manager, seen.as_ref(), &author).await,
        }
    }

    /// The first of two: nothing changes yet.
    async fn intend(
        &self,
        place: &Place,
        claim: ClaimOf,
        user_id: Id,
        seen: Option<&Release>,
        author: &Author,
    ) -> Result<Done, Trouble> {
        let now = self.environment.clock.now();
        let detail = detail(&claim, user_id);
        let release = Release { claim, staff: author.staff.clone(), at: now };
        let mut transaction = Transaction::new();
        transaction.put(&release, Some(Release::same(seen)?))?;
        transaction.create(&author.event(StaffAct::ReleaseAsked, detail, now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["manager"] = manager(place);
                answer["until"] = json!(release.until());
                Ok(Done::quietly(StaffAct::ReleaseAsked, json!({"awaiting_second": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }

    /// The second: seat, grant, contest, mails and evidence in one.
    async fn release(
        &self,
        place: &Place,
        claim: &ClaimOf,
        user_id: Id,
        release: &Release,
        author: &Author,
    ) -> Result<Done, Trouble> {
        let (now, rng) = (self.environment.clock.now(), &mut rng());
        let number = &claim.member_number;
        let users = AccountUsers::of(&self.store, number).await?;
        if users.grants.iter().any(|grant| grant.user_id == user_id && grant.since > release.at) {
            // Somebody else has the role by now: of them nobody has said so yet.
            return self.intend(place, claim.clone(), user_id, Some(release), author).await;
        }
        let alone = users.grants.iter().all(|grant| grant.user_id == user_id)
            && !users.invitations.iter().any(|invitation| invitation.is_open(now));
        let user: Option<User> = self.store.get(&User::key_of(user_id)).await?;
        let contest: Option<Contest> = match &place.seat.contested {
            Some(contested) => self.store.get(&Contest::key_of(contested)).await?,
            None => None,
        };

        let mut transaction = Transaction::new();
        transaction.delete(release.key(), Some(Release::same(Some(release))?));
        let mut unmoved = claim.still_stands()?;
        unmoved.push(match &place.seat.contested {
            Some(contested) => Condition::is("contested", contested)?,
            None => Condition::Without("contested"),
        });
        let vacate = Change::new().remove("manager").remove("contested");
        transaction.update(place.seat.key(), vacate, Condition::All(unmoved));
        let grant = Grant::key_of(user_id, number);
        transaction.delete(grant, Some(Condition::is("role", &Role::Manager)?));
        transaction.delete(Grant::mirror_key_of(user_id, number), None);
        if alone {
            // Nobody reads what the next manager has not said OUI to (leaflet S57).
            transaction.update(place.account.key(), Change::new().set("active", &false)?, Condition::Exists);
        }
        if let Some(contest) = &contest {
            let ended = Change::new().set("outcome", &ContestOutcome::Released)?;
            transaction.update(contest.key(), ended, Condition::Exists);
        }
        let event = author.event(StaffAct::ManagerReleased, detail(claim, user_id), now);
        if let Some(user) = &user {
            let witness = Witness::seal(&event.event_id.to_string(), None, None, &user.seal_key, rng)?;
            let revoked = AuditEvent::by_whoever(user.user_id, None, EventKind::AccessRevoked, now, witness);
            transaction.create(&revoked.about(number).with_detail("released by the staff"))?;
        }
        transaction.create(&event)?;
        let (siret, establishment) = (claim.siret.clone(), place.seat.name.clone());
        let to_manager = Wish::ManagerReleased { user_id, siret: siret.clone(), establishment: establishment.clone() };
        let reader = contest.and_then(|contest| contest.by);
        let to_other = Wish::ContestClosed { reader, siret, establishment, released: true };
        for wish in [to_manager, to_other] {
            transaction.create(&Outbox::new(Id::random(rng), wish, now))?;
        }
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["manager"] = manager(place);
                answer["asked_by"] = json!(release.staff);
                Ok(Done::quietly(StaffAct::ManagerReleased, json!({"released": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }
}

fn manager(place: &Place) -> Value {
    place.seat.manager.as_ref().map_or(
        Value::Null,
        |manager| json!({"id": manager.user_id, "civility": manager.civility, "last_name": manager.last_name}),
    )
}

fn detail(claim: &ClaimOf, manager: Id) -> String {
    format!("account {} manager {manager}", claim.member_number)
}

fn second_person(release: &Release) -> Refused {
    let message = format!(
        "{} asked for this on {}: somebody else has to confirm it before {}.",
        release.staff,
        release.at.strftime("%Y-%m-%d %H:%M UTC"),
        release.until().strftime("%Y-%m-%d %H:%M UTC"),
    );
    Refused::new("second-person-needed", "staff", message)
}

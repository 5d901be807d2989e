//! `release-manager`: the role is taken from who has it, or from who had it and is contested. It takes two of the staff:
//! the first call is an intention that lasts a day and freezes what a contest freezes, the second, under another name,
//! does it.
//!
//! Who is released loses the role and their access, as they may be nobody of the establishment's, and does not claim the
//! account again unless the staff let them. What was given under their claim ends with it; who had access before keeps
//! it (`docs/decisions/0065-releasing-a-manager.md`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use portal::domain::{Id, MemberNumber};
use portal::environment::rng;
use portal::security::SealKey;
use portal::store::{
    AccountUsers, AuditEvent, Batch, Change, ClaimBar, ClaimEnd, Condition, ContestOutcome, EventKind, Grant,
    Invitation, Outbox, Outcome, Record as _, Release, StaffAct, StoreError, Transaction, User, Wanted, Wish, Witness,
    told_after,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Author, Fields, Refused, Trouble};
use crate::place::{Concerned, Named, Place, changed_meanwhile};

/// How many accesses end in one transaction, beside the role: each takes three writes of a hundred.
const ENDED_AT_ONCE: usize = 25;

/// What the second of two does.
struct Releasing<'a> {
    place: &'a Place,
    concerned: &'a Concerned,
    release: &'a Release,
    author: &'a Author,
    now: Timestamp,
}

/// Access that was given under a claim.
#[derive(Default)]
struct Given {
    grants: Vec<Grant>,
    invitations: Vec<Invitation>,
}

impl Function {
    pub(crate) async fn release_manager(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let place = self.place(&named).await?;
        let concerned = place.concerned(&self.store, now).await?;
        let wanted = place.seat.release.clone();
        match wanted.filter(|release| release.user_id == concerned.user_id && release.is_open(now)) {
            Some(release) if release.is_by(&author.staff) => Err(second_person(&release).into()),
            Some(release) => {
                let (place, concerned, release, author) = (&place, &concerned, &release, &author);
                self.release(&Releasing { place, concerned, release, author, now }).await
            }
            None => self.intend(&place, &concerned, &author, now).await,
        }
    }

    /// The first of two: role and access stay as they are until the second, or a day is over.
    async fn intend(
        &self,
        place: &Place,
        concerned: &Concerned,
        author: &Author,
        now: Timestamp,
    ) -> Result<Done, Trouble> {
        let (seat, user_id) = (&place.seat, concerned.user_id);
        let users = AccountUsers::of(&self.store, &seat.member_number).await?;
        let release = Release { user_id, staff: author.staff.clone(), at: now };
        let mut transaction = Transaction::new();
        transaction.update(seat.key(), Change::new().set("release", &release)?, seat.as_seen()?);
        transaction.create(&author.event(StaffAct::ReleaseAsked, detail(&seat.member_number, user_id), now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["manager"] = self.manager(place, user_id).await?;
                answer["until"] = json!(release.until());
                answer["ends"] = Given::since(concerned, &users).told();
                Ok(Done::quietly(StaffAct::ReleaseAsked, json!({"awaiting_second": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }

    /// The second: role, grants, contest, mails and evidence in one. What does not fit goes before, under the condition
    /// that nothing has changed: cut off in between, the intention is still there, and its repeat goes on. While it is,
    /// nobody is given access.
    async fn release(&self, releasing: &Releasing<'_>) -> Result<Done, Trouble> {
        let Releasing { place, concerned, .. } = releasing;
        let number = &place.seat.member_number;
        let users = AccountUsers::of(&self.store, number).await?;
        let mut given = Given::since(concerned, &users);
        let ends = given.told();
        let open = users.invitations.iter().filter(|invitation| invitation.is_open(releasing.now));
        let stays = |user_id: Id| given.grants.iter().all(|grant| grant.user_id != user_id);
        let alone = open.filter(|invitation| invitation.since < concerned.since).count() == 0
            && !users.grants.iter().any(|grant| grant.user_id != concerned.user_id && stays(grant.user_id));
        let manager = self.manager(place, concerned.user_id).await?;
        let people = self.people_of(releasing, &given).await?;
        while given.len() > ENDED_AT_ONCE {
            let mut transaction = Transaction::new();
            let still_wanted = Change::new().set("release", releasing.release)?;
            transaction.update(place.seat.key(), still_wanted, place.seat.as_seen()?);
            given.take(ENDED_AT_ONCE).end(releasing, &people, &mut transaction)?;
            if let Outcome::Refused(_) = self.store.commit(&transaction, &mut rng()).await? {
                return Err(changed_meanwhile().into());
            }
        }
        let own = users.grants.into_iter().find(|grant| grant.user_id == concerned.user_id);
        let transaction = releasing.write(own.as_ref(), &given, &people, alone)?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["manager"] = manager;
                answer["asked_by"] = json!(releasing.release.staff);
                answer["ended"] = ends;
                Ok(Done::quietly(StaffAct::ManagerReleased, json!({"released": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }

    /// Those whom a release concerns and who are not erased: whose role it is, who claimed, whose access ends.
    async fn people_of(&self, releasing: &Releasing<'_>, given: &Given) -> Result<Vec<User>, StoreError> {
        let ids: BTreeSet<Id> = releasing.barred().chain(given.grants.iter().map(|grant| grant.user_id)).collect();
        let mut batch = Batch::new();
        let wanted: Vec<Wanted<User>> = ids.iter().map(|user_id| batch.want(User::key_of(*user_id))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut people = Vec::new();
        for wanted in &wanted {
            people.extend(fetched.take(wanted)?);
        }
        Ok(people)
    }

    /// Whose role it is, as an answer says it.
    async fn manager(&self, place: &Place, user_id: Id) -> Result<Value, StoreError> {
        if let Some(manager) = place.seat.manager.as_ref().filter(|manager| manager.user_id == user_id) {
            return Ok(json!({"id": user_id, "civility": manager.civility, "last_name": manager.last_name}));
        }
        let user: Option<User> = self.store.get(&User::key_of(user_id)).await?;
        Ok(user.map_or_else(
            || json!({"id": user_id}),
            |user| json!({"id": user_id, "civility": user.civility, "last_name": user.last_name}),
        ))
    }
}

impl Releasing<'_> {
    /// Who does not claim the account again: whose role it is, and who claimed where that was handed over to them.
    fn barred(&self) -> impl Iterator<Item = Id> {
        let claimed = self.place.seat.claims.of(self.concerned.since).map(|claim| claim.user_id);
        BTreeSet::from_iter([self.concerned.user_id].into_iter().chain(claimed)).into_iter()
    }

    fn write(
        &self,
        own: Option<&Grant>,
        given: &Given,
        people: &[User],
        alone: bool,
    ) -> Result<Transaction, StoreError> {
        let Self { place, concerned, author, now, .. } = self;
        let (seat, number, user_id) = (&place.seat, &place.seat.member_number, concerned.user_id);
        let mut transaction = Transaction::new();
        let vacated = seat.vacated(ClaimEnd::Released, *now)?.remove("contested").remove("release");
        transaction.update(seat.key(), vacated, seat.as_seen()?);
        if alone {
            // Nobody reads what the next manager has not said OUI to (leaflet S57).
            transaction.update(place.account.key(), Change::new().set("active", &false)?, Condition::Exists);
        }
        if let Some(contest) = &concerned.contest {
            let ended = Change::new().set("outcome", &ContestOutcome::Released)?;
            transaction.update(contest.key(), ended, Condition::Exists);
        }
        let barred: BTreeSet<Id> = self.barred().collect();
        for user in people.iter().filter(|user| barred.contains(&user.user_id)) {
            // None is barred who is erased: the bar would outlast them.
            transaction.check(user.key(), Condition::Exists);
            transaction.put(&ClaimBar { user_id: user.user_id, member_number: number.clone(), since: *now }, None)?;
        }
        if let Some(grant) = own {
            self.end(grant, people, &mut transaction)?;
        }
        given.end(self, people, &mut transaction)?;
        transaction.create(&author.event(StaffAct::ManagerReleased, detail(number, user_id), *now))?;
        let (siret, establishment) = (seat.siret.clone(), seat.name.clone());
        let to_manager = Wish::ManagerReleased { user_id, siret: siret.clone(), establishment: establishment.clone() };
        let reader = concerned.contest.as_ref().and_then(|contest| contest.by);
        let to_other = Wish::ContestClosed { reader, siret, establishment, released: true };
        for wish in [to_manager, to_other] {
            transaction.create(&Outbox::new(Id::random(&mut rng()), wish, *now))?;
        }
        Ok(transaction)
    }

    /// Ends a grant, with its evidence where its user is not erased.
    fn end(&self, grant: &Grant, people: &[User], transaction: &mut Transaction) -> Result<(), StoreError> {
        transaction.delete(grant.key(), Some(Condition::is("role", &grant.role)?));
        transaction.delete(Grant::mirror_key_of(grant.user_id, &grant.member_number), None);
        let Some(user) = people.iter().find(|user| user.user_id == grant.user_id) else { return Ok(()) };
        let witness = Witness::seal("", None, None, &user.seal_key, &mut rng())?;
        let at = told_after(grant.since, self.now);
        let event = AuditEvent::by_whoever(grant.user_id, None, EventKind::AccessRevoked, at, witness);
        let event = event.about(&grant.member_number).with_detail("released by the staff");
        if grant.user_id == self.concerned.user_id {
            event.create_with_account(transaction)
        } else {
            transaction.create(&event).map(drop)
        }
    }
}

impl Given {
    /// What was given since the account was claimed, but what the released have themselves.
    fn since(concerned: &Concerned, users: &AccountUsers) -> Self {
        let grants = users.grants.iter().filter(|grant| grant.user_id != concerned.user_id);
        let grants = grants.filter(|grant| grant.given_at() >= concerned.since).cloned().collect();
        let invitations = users.invitations.iter().filter(|invitation| invitation.since >= concerned.since);
        Self { grants, invitations: invitations.cloned().collect() }
    }

    fn len(&self) -> usize {
        self.grants.len() + self.invitations.len()
    }

    /// Takes so many out of it, at most.
    fn take(&mut self, most: usize) -> Self {
        let rest = self.grants.split_off(most.min(self.grants.len()));
        let grants = std::mem::replace(&mut self.grants, rest);
        let room = (most - grants.len()).min(self.invitations.len());
        let rest = self.invitations.split_off(room);
        let invitations = std::mem::replace(&mut self.invitations, rest);
        Self { grants, invitations }
    }

    fn end(&self, releasing: &Releasing<'_>, people: &[User], transaction: &mut Transaction) -> Result<(), StoreError> {
        for grant in &self.grants {
            releasing.end(grant, people, transaction)?;
        }
        for invitation in &self.invitations {
            invitation.delete(transaction)?;
            let (subject, at) = (invitation.invitation_id, told_after(invitation.since, releasing.now));
            // Nobody's key is at hand, and there is nothing to seal.
            let witness = Witness::seal("", None, None, &SealKey::random(&mut rng()), &mut rng())?;
            let event = AuditEvent::by_whoever(subject, None, EventKind::AccessRevoked, at, witness);
            transaction.create(&event.about(&invitation.member_number).with_detail("released by the staff"))?;
        }
        Ok(())
    }

    /// As an answer says it: who was invited has shown no more than an address.
    fn told(&self) -> Value {
        let granted = self.grants.iter().map(|grant| json!({"id": grant.user_id, "since": grant.given_at()}));
        let invited = self.invitations.iter().map(
            |invitation| json!({"id": invitation.invitation_id, "email": invitation.email.display(), "since": invitation.since}),
        );
        granted.chain(invited).collect()
    }
}

fn detail(number: &MemberNumber, manager: Id) -> String {
    format!("account {number} manager {manager}")
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

//! `POST /api/accounts/{number}/manager`: the manager hands the role over to somebody who has access.
//!
//! The seat, both grants and what mirrors them move in one transaction, so there is never no manager, and
//! never two (`docs/decisions/0061-handing-the-role-over.md`).

use futures::future::join;
use jiff::Timestamp;
use portal::domain::{Id, Refusal};
use portal::http::{Answer, Call, Idempotency, Problem};
use portal::security::AccountDoor;
use portal::store::{
    Account, AccountUsers, AuditEvent, Change, Condition, Establishment, EventKind, Grant, Named, Outbox, Outcome,
    Record as _, Role, Step, StoreError, Transaction, User, Wish, Witness, told_after,
};
use rand::CryptoRng;
use serde_json::json;

use crate::{Function, MOST_ATTEMPTS, out_of_the_seat, seated, unchanged};

/// Who gives the role, and who gets it.
struct HandOver<'a> {
    from: &'a User,
    own: &'a Grant,
    to: &'a User,
    theirs: &'a Grant,
    account: &'a Account,
}

/// The steps that say why it was refused.
struct Steps {
    seat: Step,
    own: Step,
    account: Step,
    caller: Step,
}

impl Function {
    pub(crate) async fn hand_over(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let repeat = Idempotency::of(call, Some(visit.session.user_id));
        let asked = repeat.as_ref().ok().and_then(|repeat| repeat.ask(&mut batch));
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let mut fetched = fetched?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await?;
        // Whoever repeats what succeeded is the manager no more.
        if let Ok(repeat) = &repeat
            && let Some(first) = repeat.recall(asked.as_ref(), &mut fetched)?
        {
            return first.or(Problem::ManagerOnly);
        }
        let mut door = guest.as_manager()?;
        let mut form = call.form()?;
        let id = form.text("id", parse_id);
        let (id,) = form.finish((id,))?;
        let repeat = repeat?;
        let mut users = users?;
        for _ in 0..MOST_ATTEMPTS {
            let (theirs, to) = self.heir(id, &users, &door).await?;
            let AccountDoor { caller, grant, account } = &mut door;
            let hand_over = HandOver { from: &caller.user, own: grant, to: &to, theirs: &theirs, account };
            let mut transaction = Transaction::new();
            let steps = hand_over.write(call, &mut transaction, rng)?;
            let answer = handed_over(&hand_over)?;
            let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
            let committed = self.store.commit(&transaction, rng).await;
            let refused = match committed.map_err(|error| repeat.failure(error))? {
                Outcome::Committed => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                return first.or(Problem::ManagerOnly);
            }
            if refused.failed(steps.caller) {
                return Err(Problem::TryAgain { context: "the manager changed meanwhile".to_owned() });
            }
            if refused.failed(steps.account)
                && let Some(changed) = refused.existing::<Account>(steps.account)?
            {
                *account = changed;
            } else if refused.failed(steps.seat) || refused.failed(steps.own) {
                let seat = refused.existing(steps.seat)?;
                return Err(out_of_the_seat(seat.as_ref(), caller.user.user_id, call.now));
            }
            // They left, lost their access or were renamed meanwhile.
            users = AccountUsers::of(&self.store, &visit.number).await?;
        }
        Err(Problem::TryAgain { context: "the access changes all the time".to_owned() })
    }

    /// Who gets the role: a reader of the account, by their id or that of the invitation that they opened.
    async fn heir(&self, id: Id, users: &AccountUsers, door: &AccountDoor) -> Result<(Grant, User), Problem> {
        let manager = &door.caller.user;
        if id == manager.user_id {
            return Err(Problem::field("id", already_manager()));
        }
        let people = self.people(users, manager).await?;
        let is_meant = |grant: &Grant| grant.user_id == id || grant.invitation_id == Some(id);
        let heir = people.granted.into_iter().find(|(grant, _)| grant.role == Role::Reader && is_meant(grant));
        if let Some(heir) = heir {
            return Ok(heir);
        }
        let is_invited = users.invitations.iter().any(|invitation| invitation.invitation_id == id);
        let is_asking = people.asking.iter().any(|(request, _)| request.user_id == id);
        // Whom the manager's list shows is no secret to them.
        Err(if is_invited || is_asking { Problem::field("id", no_access_yet()) } else { Problem::NotFound })
    }
}

impl HandOver<'_> {
    fn write(&self, call: &Call, transaction: &mut Transaction, rng: &mut impl CryptoRng) -> Result<Steps, StoreError> {
        let Self { from, own, to, theirs, account } = self;
        let number = &account.member_number;
        let at = told_after(own.since.max(theirs.since), call.now);
        // The claim goes on, and with it the links that contest it: nobody shakes them off by handing over.
        let heir = Change::new()
            .set("manager.user_id", &to.user_id)?
            .set("manager.civility", &to.civility)?
            .set("manager.last_name", &to.last_name)?;
        let in_the_seat = Condition::All(seated(from.user_id, account, call.now)?);
        let place = Establishment::key_of(&account.siret);
        let seat = transaction.update(place, heir, in_the_seat);
        let own = change_role(own, Role::Manager, Role::Reader, at, transaction)?;
        change_role(theirs, Role::Reader, Role::Manager, at, transaction)?;
        let account = transaction.check(account.key(), unchanged(account)?);
        let caller = transaction.check(from.key(), Condition::is("epoch", &from.epoch)?);
        // The seat carries copies of these, and whoever is renamed at this moment looks for their seats.
        let same = vec![
            Condition::is("civility", &to.civility)?,
            Condition::is("last_name", &to.last_name)?,
            Condition::is("email", &to.email)?,
        ];
        transaction.update(to.key(), Change::new().add("dealings", 1), Condition::All(same));
        for (subject, kind) in [(from, EventKind::RoleHandedOver), (to, EventKind::RoleTakenOver)] {
            let witness = Witness::of_call(call, &from.seal_key, rng)?;
            let event = AuditEvent::for_other(subject.user_id, from.user_id, kind, at, witness);
            event.about(number).create_with_account(transaction)?;
        }
        for wish in self.mails() {
            transaction.create(&Outbox::new(Id::random(rng), wish, call.now))?;
        }
        Ok(Steps { seat, own, account, caller })
    }

    fn mails(&self) -> [Wish; 2] {
        let Self { from, to, account, .. } = self;
        let named = |user: &User| Named { civility: user.civility, last_name: user.last_name.clone() };
        [
            Wish::RoleHandedOver {
                email: from.email.clone(),
                civility: from.civility,
                last_name: from.last_name.clone(),
                to: named(to),
                member_number: account.member_number.clone(),
                siret: account.siret.clone(),
                establishment: account.name.clone(),
            },
            Wish::RoleTakenOver {
                email: to.email.clone(),
                civility: to.civility,
                last_name: to.last_name.clone(),
                from: named(from),
                member_number: account.member_number.clone(),
                siret: account.siret.clone(),
                establishment: account.name.clone(),
            },
        ]
    }
}

/// Changes what a grant and its mirror permit, from `at` on.
fn change_role(
    grant: &Grant,
    before: Role,
    after: Role,
    at: Timestamp,
    transaction: &mut Transaction,
) -> Result<Step, StoreError> {
    let given_at = grant.given_at().as_millisecond();
    let change = || Change::new().set("role", &after)?.set("since", &at.as_millisecond())?.set("given_at", &given_at);
    let mirror = Grant::mirror_key_of(grant.user_id, &grant.member_number);
    transaction.update(mirror, change()?, Condition::Exists);
    Ok(transaction.update(grant.key(), change()?, Condition::is("role", &before)?))
}

/// Who is the manager now, as the seat says it.
fn handed_over(HandOver { to, account, .. }: &HandOver<'_>) -> Result<Answer, Problem> {
    Answer::ok(&json!({
        "member_number": account.member_number,
        "manager": {"id": to.user_id, "civility": to.civility, "last_name": to.last_name},
    }))
}

fn parse_id(text: &str) -> Result<Id, Refusal> {
    Id::parse(text).ok_or_else(|| {
        Refusal::new(
            "bad-id",
            "Donnez l’identifiant (id) d’une personne de la liste des utilisateurs.",
            "Give the id of somebody on the list of users.",
        )
    })
}

fn already_manager() -> Refusal {
    Refusal::new(
        "already-manager",
        "Vous êtes déjà gestionnaire : choisissez une autre personne.",
        "You are the manager already: choose somebody else.",
    )
}

fn no_access_yet() -> Refusal {
    Refusal::new(
        "no-access-yet",
        "Cette personne n’a pas encore ouvert le compte : transmettez-lui le rôle quand elle y aura accès.",
        "This person has not opened the account yet: hand the role over once they have.",
    )
}

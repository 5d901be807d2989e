//! `POST /api/accounts/{number}/users`: an address gets access.

use futures::future::join;
use portal::domain::{Email, Id};
use portal::http::{Answer, Call, Idempotency, Problem};
use portal::security::AccountDoor;
use portal::store::{
    Account, AccountUsers, AuditEvent, Condition, Establishment, EventKind, Invitation, InvitationMirror, Outbox,
    Outcome, Record as _, Role, Step, StoreError, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

use crate::{Function, MOST_ATTEMPTS};

/// What the request comes to.
enum Effect {
    /// The address gets access.
    Invited,
    /// It has access and has not opened the account: its owner is reminded.
    Reminded(Invitation),
    /// It is a user's already, or somebody else changed something about it at this moment.
    Nothing,
}

impl Function {
    /// Looks at the account's own users, which its manager can list, and at nothing else: an address that has
    /// a space and one that has none take the same calls.
    pub(crate) async fn invite(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // Read now, so that the first answer is fetched in the same wait; reported in its turn.
        let repeat = Idempotency::of(call, Some(visit.ticket.claims.sub));
        let asked = repeat.as_ref().ok().and_then(|repeat| repeat.ask(&mut batch));
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let mut fetched = fetched?;
        let door = visit.enter_as_manager(&self.store, &mut fetched, call.now).await?;
        let mut form = call.form()?;
        let email = form.text("email", Email::parse);
        let (email,) = form.finish((email,))?;
        let repeat = repeat?;
        if let Some(first) = repeat.recall(asked.as_ref(), &mut fetched)? {
            return first.or(Problem::ManagerOnly);
        }
        let effect = self.effect_of(&email, users?, &door).await?;
        self.give(&email, effect, door, &repeat, call, rng).await
    }

    async fn effect_of(&self, email: &Email, users: AccountUsers, door: &AccountDoor) -> Result<Effect, Problem> {
        let people = self.people(&users.grants, &door.caller.user).await?;
        if people.iter().any(|(_, user)| user.email == *email) {
            return Ok(Effect::Nothing);
        }
        let invitation = users.invitations.into_iter().find(|invitation| invitation.email == *email);
        Ok(invitation.map_or(Effect::Invited, Effect::Reminded))
    }

    /// Invitation, mail, evidence and answer are one transaction, which demands that the caller still sits in
    /// the manager's seat of an open account.
    async fn give(
        &self,
        email: &Email,
        mut effect: Effect,
        door: AccountDoor,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let answer = taken(call)?;
        let AccountDoor { caller, grant, mut account } = door;
        let user = &caller.user;
        let wish = |account: &Account| Wish::Invitation {
            email: email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            member_number: account.member_number.clone(),
            siret: account.siret.clone(),
            establishment: account.name.clone(),
        };
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let manager = transaction.check(grant.key(), Condition::is("role", &Role::Manager)?);
            let seat = in_the_seat(user.user_id, &account, &mut transaction)?;
            let same_account = unchanged(&account, &mut transaction)?;
            // Whoever erases themselves moves the epoch first: nobody is invited to an account that they leave.
            let same_user = transaction.check(User::key_of(user.user_id), Condition::is("epoch", &user.epoch)?);
            match &effect {
                Effect::Invited => {
                    let invitation = Invitation {
                        invitation_id: Id::random(rng),
                        email: email.clone(),
                        member_number: account.member_number.clone(),
                        siret: account.siret.clone(),
                        name: account.name.clone(),
                        active: account.active,
                        since: call.now,
                    };
                    let witness = Witness::of_call(call, &user.seal_key, rng)?;
                    let (subject, kind) = (invitation.invitation_id, EventKind::AccessGranted);
                    let event = AuditEvent::for_other(subject, user.user_id, kind, call.now, witness, rng);
                    transaction.create(&event.about(&account.member_number).with_detail("invitation"))?;
                    transaction.create(&invitation)?;
                    transaction.put(&InvitationMirror(invitation), None)?;
                    transaction.create(&Outbox::new(Id::random(rng), wish(&account), call.now))?;
                }
                Effect::Reminded(invitation) => {
                    transaction.check(invitation.key(), invitation.same()?);
                    transaction.create(&Outbox::new(Id::random(rng), wish(&account), call.now))?;
                }
                Effect::Nothing => {}
            }
            let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
            let committed = self.store.commit(&transaction, rng).await;
            let refused = match committed.map_err(|error| repeat.failure(error))? {
                Outcome::Committed => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                return first.or(Problem::ManagerOnly);
            }
            if refused.failed(same_user) {
                return Err(Problem::AuthenticationRequired);
            }
            if refused.failed(same_account)
                && let Some(changed) = refused.existing(same_account)?
            {
                account = changed;
            } else if refused.failed(manager) {
                return Err(Problem::ManagerOnly);
            } else if refused.failed(seat) {
                let contested = refused.existing(seat)?.is_some_and(|seat| is_contested(&seat, user.user_id, &account));
                return Err(if contested { Problem::ClaimContested } else { Problem::ManagerOnly });
            } else {
                // Another request gave the address access at this moment, or it had access when this one looked
                // and was taken back or opened the account since: there is nothing left to do.
                effect = Effect::Nothing;
            }
        }
        Err(Problem::TryAgain { context: "the account changes all the time".to_owned() })
    }
}

/// Where that is all that keeps the manager from giving access.
fn is_contested(seat: &Establishment, user_id: Id, account: &Account) -> bool {
    let sits = seat.manager.as_ref().is_some_and(|manager| manager.user_id == user_id);
    sits && seat.open && seat.member_number == account.member_number && seat.contested.is_some()
}

/// The caller sits in the manager's seat of the account, which is open to grants and not contested.
fn in_the_seat(user_id: Id, account: &Account, transaction: &mut Transaction) -> Result<Step, StoreError> {
    let seated = Condition::All(vec![
        Condition::is("member_number", &account.member_number)?,
        Condition::is("open", &true)?,
        Condition::is("manager.user_id", &user_id)?,
        Condition::Without("contested"),
    ]);
    Ok(transaction.check(Establishment::key_of(&account.siret), seated))
}

/// The account is the one that was read: an invitation carries copies of it.
fn unchanged(account: &Account, transaction: &mut Transaction) -> Result<Step, StoreError> {
    let same = vec![Condition::is("version", &account.version)?, Condition::is("active", &account.active)?];
    Ok(transaction.check(account.key(), Condition::All(same)))
}

/// The same whatever the address is.
fn taken(call: &Call) -> Result<Answer, Problem> {
    let message = call.language.choose(
        "Cette adresse a accès au compte adhérent ; un e-mail en informe son titulaire.",
        "This address has access to the member account; a mail tells its owner.",
    );
    Answer::accepted(&json!({"message": message}))
}

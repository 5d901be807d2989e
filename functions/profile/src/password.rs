//! `POST /api/me/password`: a new password, and an end to every other session.

use futures::future::join;
use portal::domain::{Email, Id, Refusal};
use portal::http::{Answer, Call, Problem};
use portal::security::{Caller, NewPassword, Password, PasswordHash, Proven};
use portal::store::{
    AuditEvent, Batch, Change, Condition, EventKind, Link, MailHistory, Outbox, Outcome, Purpose, Record, Step,
    StoreError, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;

use crate::{Function, MOST_ATTEMPTS};

impl Function {
    pub(crate) async fn change_password(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let caller = self.gate.caller(call).await?;
        let user = &caller.user;
        let mut form = call.form()?;
        let current = form.verbatim("current_password").map(Password::of);
        let new = NewPassword::read(&mut form);
        let (proven, history) =
            join(self.prove(user, current.as_ref(), call, rng), self.reset_history(&user.email)).await;
        let (proven, mut history) = (proven?, history?);

        let address = user.email.display();
        let known = [address.as_str(), user.last_name.as_str(), user.first_name.as_str(), user.siret.as_str()];
        let password = new.held_against_policy(&mut form, &known);
        if let (Some(new), Some(current)) = (&password, &current)
            && new.as_bytes() == current.as_bytes()
        {
            form.refuse::<()>("password", unchanged());
        }
        let (mut proven, password) = form.finish((proven, password))?;
        let hash = self.hashing.hash(&password, rng).await.map_err(|error| Problem::internal("password", &error))?;

        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::PasswordChanged, call.now, witness);
        let notice = Wish::PasswordChanged {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
        };
        let notice = Outbox::new(Id::random(rng), notice, call.now);
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let guard = proven.guard(&mut transaction)?;
            let newest = withdraw_reset(&user.email, history.as_ref(), &mut transaction)?;
            set(&caller, &proven, &hash, &mut transaction)?;
            transaction.create(&notice)?;
            transaction.create(&event)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Answer::no_content()),
                Outcome::Refused(refused) if refused.failed(guard) => proven.renew(call).await?,
                // A reset link came to be in between: it has to go too.
                Outcome::Refused(refused) if refused.failed(newest) => {
                    history = self.reset_history(&user.email).await?
                }
                Outcome::Refused(_) => {
                    return Err(Problem::TryAgain { context: "the user changed meanwhile".to_owned() });
                }
            }
        }
        Err(Problem::TryAgain { context: "others wrote of the same address all the time".to_owned() })
    }

    async fn reset_history(&self, email: &Email) -> Result<Option<MailHistory>, StoreError> {
        let mut batch = Batch::new();
        let history = batch.want::<MailHistory>(MailHistory::key_of(email, Purpose::Reset));
        self.store.fetch(batch).await?.take(&history)
    }
}

/// The new password, and a new epoch: every session and every access token is dead, but that the caller's
/// session goes on in the new epoch.
fn set(caller: &Caller, proven: &Proven, hash: &PasswordHash, transaction: &mut Transaction) -> Result<(), StoreError> {
    let user = &caller.user;
    let this_epoch = Condition::is("epoch", &user.epoch)?;
    let own = Condition::All(vec![Condition::is("user_id", &user.user_id)?, this_epoch.clone()]);
    let login = Change::new().set("password_hash", hash)?.add("epoch", 1);
    transaction.update(proven.login.key(), login, own);
    transaction.update(User::key_of(user.user_id), Change::new().add("epoch", 1), this_epoch.clone());
    transaction.update(caller.session.key(), Change::new().add("epoch", 1), this_epoch);
    Ok(())
}

/// Kills the reset link that was mailed last, under the condition that it is still the last.
fn withdraw_reset(
    email: &Email,
    history: Option<&MailHistory>,
    transaction: &mut Transaction,
) -> Result<Step, StoreError> {
    let place = MailHistory::key_of(email, Purpose::Reset);
    let same = MailHistory::same_link(history)?;
    let Some(newest) = history.and_then(|history| history.newest_link.as_ref()) else {
        return Ok(transaction.check(place, same));
    };
    transaction.delete(Link::key_of(newest), None);
    Ok(transaction.update(place, Change::new().remove("newest_link"), same))
}

fn unchanged() -> Refusal {
    Refusal::new(
        "password-unchanged",
        "C’est déjà votre mot de passe : choisissez-en un autre.",
        "This is your password already: choose another.",
    )
}

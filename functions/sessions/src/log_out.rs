//! `DELETE /api/sessions/{id}`: `current`, one by its id, or `all`.

use portal::domain::Id;
use portal::http::{Answer, Call, Problem};
use portal::security::Caller;
use portal::store::{AuditEvent, Change, Condition, EventKind, Login, Outcome, Session, Transaction, User, Witness};
use rand::CryptoRng;

use crate::Function;

impl Function {
    pub(crate) async fn log_out(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let caller = self.gate.caller(call).await?;
        let own = caller.session.session_id;
        match call.path("id") {
            "all" => self.end_all(&caller, call, rng).await,
            "current" => self.end_one(&caller, own, call, rng).await,
            id => self.end_one(&caller, Id::parse(id).ok_or(Problem::NotFound)?, call, rng).await,
        }
    }

    async fn end_one(&self, caller: &Caller, id: Id, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut transaction = Transaction::new();
        transaction.delete(Session::key_of(caller.user.user_id, id), Some(Condition::Exists));
        transaction.create(&logged_out(caller, "one session", call, rng)?)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed if id == caller.session.session_id => {
                Ok(Answer::no_content().with_cookie(self.cookies.clear()?))
            }
            Outcome::Committed => Ok(Answer::no_content()),
            Outcome::Refused(_) => Err(Problem::NotFound),
        }
    }

    /// Moves the epoch, which ends every session at once; their items go by TTL.
    async fn end_all(&self, caller: &Caller, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let user = &caller.user;
        let this_epoch = Condition::is("epoch", &user.epoch)?;
        let mut transaction = Transaction::new();
        transaction.update(User::key_of(user.user_id), Change::new().add("epoch", 1), this_epoch.clone());
        transaction.update(Login::key_of(&user.email), Change::new().add("epoch", 1), this_epoch);
        transaction.create(&logged_out(caller, "all sessions", call, rng)?)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(Answer::no_content().with_cookie(self.cookies.clear()?)),
            // The epoch has moved meanwhile: the sessions are ended all the same, this one among them.
            Outcome::Refused(_) => Err(Problem::AuthenticationRequired),
        }
    }
}

fn logged_out(caller: &Caller, what: &str, call: &Call, rng: &mut impl CryptoRng) -> Result<AuditEvent, Problem> {
    let witness = Witness::of_call(call, &caller.user.seal_key, rng)?;
    Ok(AuditEvent::by_user(caller.user.user_id, EventKind::LoggedOut, call.now, witness, rng).with_detail(what))
}

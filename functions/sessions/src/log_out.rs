//! `DELETE /api/sessions/{id}`: `current`, one by its id, or `all`.

use portal::domain::Id;
use portal::http::{Answer, Call, Problem};
use portal::security::Caller;
use portal::store::{
    AuditEvent, Batch, Change, Condition, EventKind, Login, Outcome, Record, Session, Transaction, Witness,
};
use rand::CryptoRng;

use crate::Function;

/// How often the end of all sessions is tried again because the address changed in between.
const MOST_ATTEMPTS: usize = 5;

impl Function {
    pub(crate) async fn log_out(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let caller = self.gate.caller(call).await?;
        let id = match call.path("id") {
            "all" => None,
            "current" => Some(caller.session.session_id),
            id => Some(Id::parse(id).ok_or(Problem::NotFound)?),
        };
        call.refuse_unread_query()?;
        match id {
            None => self.end_all(&caller, call, rng).await,
            Some(id) => self.end_one(&caller, id, call, rng).await,
        }
    }

    async fn end_one(&self, caller: &Caller, id: Id, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut transaction = Transaction::new();
        transaction.delete(Session::key_of(caller.user.user_id, id), Some(Condition::Exists));
        transaction.create(&logged_out(caller, "one session", call, rng)?)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed if id == caller.session.session_id => {
                Ok(Answer::no_content().with_cookie(self.cookies.clear()?).clearing_site())
            }
            Outcome::Committed => Ok(Answer::no_content()),
            Outcome::Refused(_) => Err(Problem::NotFound),
        }
    }

    /// Moves the epoch, which ends every session at once; their items go by TTL.
    async fn end_all(&self, caller: &Caller, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut user = caller.user.clone();
        let this_epoch = Condition::is("epoch", &user.epoch)?;
        let event = logged_out(caller, "all sessions", call, rng)?;
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let moved = transaction.update(user.key(), Change::new().add("epoch", 1), this_epoch.clone());
            let own = Condition::All(vec![Condition::is("user_id", &user.user_id)?, this_epoch.clone()]);
            transaction.update(Login::key_of(&user.email), Change::new().add("epoch", 1), own);
            transaction.create(&event)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => {
                    return Ok(Answer::no_content().with_cookie(self.cookies.clear()?).clearing_site());
                }
                // The epoch has moved meanwhile: the sessions are ended all the same, this one among them.
                Outcome::Refused(refused) if refused.failed(moved) => return Err(Problem::AuthenticationRequired),
                // The address was changed meanwhile, and the log-in went with it.
                Outcome::Refused(_) => {
                    let mut batch = Batch::new();
                    let wanted = batch.want(user.key());
                    let found = self.store.fetch(batch).await?.take(&wanted)?;
                    user = found.ok_or(Problem::AuthenticationRequired)?;
                }
            }
        }
        Err(Problem::TryAgain { context: "the address changed all the time".to_owned() })
    }
}

fn logged_out(caller: &Caller, what: &str, call: &Call, rng: &mut impl CryptoRng) -> Result<AuditEvent, Problem> {
    let witness = Witness::of_call(call, &caller.user.seal_key, rng)?;
    Ok(AuditEvent::by_user(caller.user.user_id, EventKind::LoggedOut, call.now, witness).with_detail(what))
}

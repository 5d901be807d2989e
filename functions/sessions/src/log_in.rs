//! `POST /api/sessions`: e-mail and password open a session.

use futures::future::join3;
use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::http::{Answer, Call, Problem};
use portal::security::{Hints, Password, Proven, RefreshToken, Standing};
use portal::store::{
    AuditEvent, Change, Condition, EventKind, Login, Outcome, RateLimit, Record, Session, StoreError, Transaction,
    Witness,
};
use rand::CryptoRng;

use crate::Function;
use crate::signer::Opened;

/// How often a log-in is tried again because a failure of the same address came between: no more than 25
/// can.
const MOST_ATTEMPTS: usize = 30;

impl Function {
    /// One wait, one hash, one write, whether the address is known or not and the password right or wrong.
    pub(crate) async fn log_in(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let email = form.text("email", Email::parse);
        let password = form.verbatim("password");
        let (email, password) = form.finish((email, password))?;

        let admitted = RateLimit::LOG_INS.admit(&self.store, call.source_ip, call.now);
        let (admitted, candidate, replaced) = join3(admitted, self.credentials.of(&email), self.brought(call)).await;
        admitted?.map_err(|retry_after| Problem::TooManyAttempts { retry_after })?;
        let mut proven = candidate?.prove(Password::of(password), call, rng).await?;
        // Asked for before a session is written: without a key there is no token to give.
        let key = self.signer.key(call.now).await?;

        let login = proven.login.clone();
        let refresh = RefreshToken::random(login.user_id, Id::random(rng), rng);
        let session = session(&login, &refresh, call);
        let hints = Hints { siret: &login.siret, email: &login.email };
        let witness = Witness::of_call(call, &login.seal_key, rng)?;
        let event = AuditEvent::by_user(login.user_id, EventKind::LoggedIn, call.now, witness, rng);
        let replaced = replaced?;
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let guard = proven.guard(&mut transaction)?;
            if let Some(session) = &replaced {
                transaction.delete(session.key(), None);
            }
            still_valid(&proven, call.now, &mut transaction)?;
            transaction.create(&session)?;
            transaction.create(&event)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => {
                    let email_problem = proven.email_problem;
                    let opened = Opened { session: &session, refresh: &refresh, email_problem };
                    return self.tokens(opened, hints, &key, call.now, rng);
                }
                Outcome::Refused(refused) if refused.failed(guard) => proven.renew(call).await?,
                Outcome::Refused(_) => return Err(Problem::BadCredentials),
            }
        }
        Err(Problem::TryAgain { context: "failures of one address came between all the time".to_owned() })
    }
}

impl Function {
    /// The session whose cookie comes with a log-in, where it is the current one: it ends with the new one's
    /// beginning, so that nobody leaves one behind on a browser (ASVS 7.2.4).
    async fn brought(&self, call: &Call) -> Result<Option<Session>, StoreError> {
        let Some(token) = self.cookies.read(call) else { return Ok(None) };
        let session: Option<Session> = self.store.get(&Session::key_of(token.user_id, token.session_id)).await?;
        // Whoever made the cookie up ends nothing.
        Ok(session.filter(|session| matches!(token.standing(session, &self.refresh_key, call.now), Standing::Current)))
    }
}

/// The password is the address's at this moment too: the epoch moves with it, and a log-in with one that
/// was changed meanwhile opens nothing. A hash that is weaker than today's is replaced on the way, and the first
/// log-in of a day says that the space is used.
fn still_valid(proven: &Proven, now: Timestamp, transaction: &mut Transaction) -> Result<(), StoreError> {
    let place = Login::key_of(&proven.login.email);
    let this_epoch = Condition::is("epoch", &proven.login.epoch)?;
    let used = proven.login.use_at(now);
    if proven.stronger.is_none() && used.is_none() {
        transaction.check(place, this_epoch);
        return Ok(());
    }
    let mut change = Change::new();
    if let Some(hash) = &proven.stronger {
        change = change.set("password_hash", hash)?;
    }
    if let Some(used) = used {
        change = used.write(change)?;
    }
    transaction.update(place, change, this_epoch);
    Ok(())
}

fn session(login: &Login, refresh: &RefreshToken, call: &Call) -> Session {
    Session {
        user_id: login.user_id,
        session_id: refresh.session_id,
        refresh_hash: refresh.hash(),
        generation: 0,
        rotations: Vec::new(),
        epoch: login.epoch,
        created_at: call.now,
        last_used_at: call.now,
        expires_at: call.now + Session::LONGEST,
        ip: call.source_ip.map(|ip| ip.to_string()),
        user_agent: call.user_agent.clone(),
        ttl: (call.now + Session::LONGEST).as_second(),
    }
}

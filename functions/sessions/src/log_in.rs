//! `POST /api/sessions`: e-mail and password open a session.

use futures::future::join3;
use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::http::{Answer, Call, Problem};
use portal::security::{Password, Proven, RefreshToken};
use portal::store::{
    AuditEvent, Condition, EventKind, Key, Login, Outcome, RateLimit, Record, Session, Step, StoreError, Transaction,
    Witness,
};
use rand::CryptoRng;

use crate::Function;
use crate::brought::Brought;
use crate::room::Room;
use crate::signer::Opened;

/// How often a log-in is tried again because a failure of the same address came between, of which no more than 25
/// can, or another log-in that was the fiftieth.
const MOST_ATTEMPTS: usize = 30;

impl Function {
    /// One wait, one hash, one write, whether the address is known or not and the password right or wrong. A right one
    /// that finds [`Session::MOST`] log-ins looks once more, at the sessions.
    pub(crate) async fn log_in(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let email = form.text("email", Email::parse);
        let password = form.verbatim("password");
        let (email, password) = form.finish((email, password))?;

        let admitted = RateLimit::LOG_INS.admit(&self.store, call.source_ip, call.now);
        let brought = self.brought(self.cookies.read(call), call.now);
        let (admitted, candidate, brought) = join3(admitted, self.credentials.of(&email), brought).await;
        admitted?.map_err(|retry_after| Problem::TooManyAttempts { retry_after })?;
        let mut proven = candidate?.prove(Password::of(password), call, rng).await?;
        // Asked for before a session is written: without a key there is no token to give.
        let key = self.signer.key(call.now).await?;

        let login = proven.login.clone();
        let refresh = RefreshToken::random(login.user_id, Id::random(rng), rng);
        let session = session(&login, &refresh, call);
        let witness = Witness::of_call(call, &login.seal_key, rng)?;
        let event = AuditEvent::by_user(login.user_id, EventKind::LoggedIn, call.now, witness);
        let left = left_behind(brought?);
        for _ in 0..MOST_ATTEMPTS {
            let room = self.room(&proven.login, &left, call.now).await?;
            let mut transaction = Transaction::new();
            let guard = proven.guard(&mut transaction)?;
            for ended in left.iter().chain(&room.ended) {
                transaction.delete(ended.clone(), None);
            }
            let valid = still_valid(&proven, &room, call.now, &mut transaction)?;
            transaction.create(&session)?;
            transaction.create(&event)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => {
                    let email_problem = proven.email_problem;
                    let opened = Opened { session: &session, refresh: &refresh, used_at: call.now, email_problem };
                    return self.tokens(opened, &login.siret, &key, call.now, rng);
                }
                Outcome::Refused(refused) if refused.failed(guard) => proven.renew(call).await?,
                Outcome::Refused(refused) => match refused.existing::<Login>(valid)? {
                    // The same password still, and others opened sessions with it meanwhile.
                    Some(now) if now.user_id == login.user_id && now.epoch == login.epoch => proven.login = now,
                    _ => return Err(Problem::BadCredentials),
                },
            }
        }
        Err(Problem::TryAgain { context: "others wrote of the same address all the time".to_owned() })
    }
}

/// The sessions whose cookies come with a log-in: they end with the new one's beginning, so that nobody leaves one
/// behind on a browser (ASVS 7.2.4). Whoever made a cookie up ends nothing.
fn left_behind(brought: Vec<Brought>) -> Vec<Key> {
    let mut left = Vec::new();
    for key in brought.iter().filter(|brought| brought.is_good()).map(|brought| brought.session.key()) {
        if !left.contains(&key) {
            left.push(key);
        }
    }
    left
}

/// The password is the address's at this moment too: the epoch moves with it, and a log-in with one that
/// was changed meanwhile opens nothing. A hash that is weaker than today's is replaced on the way, and the first
/// log-in of a day says that the space is used.
fn still_valid(
    proven: &Proven,
    room: &Room,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<Step, StoreError> {
    let mut change = room.change.clone();
    if let Some(hash) = &proven.stronger {
        change = change.set("password_hash", hash)?;
    }
    if let Some(used) = proven.login.use_at(now) {
        change = used.write(change)?;
    }
    let this_epoch = Condition::is("epoch", &proven.login.epoch)?;
    let place = Login::key_of(&proven.login.email);
    Ok(transaction.update(place, change, Condition::All(vec![this_epoch, room.condition.clone()])))
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

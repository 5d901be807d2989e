//! `POST /api/sessions/refresh`: rotates the refresh token.

use jiff::Timestamp;
use portal::http::{Answer, Call, Problem};
use portal::security::{RefreshToken, Standing};
use portal::store::{Change, Condition, Session, StoreError};
use rand::CryptoRng;

use crate::Function;
use crate::brought::Brought;
use crate::signer::Opened;

/// How old the last use may be, in milliseconds, before a repeated refresh writes it anew: tabs that refresh together
/// shall not write one item all at once.
const USE_KNOWN_FOR: i64 = 60_000;

impl Function {
    /// The current token is replaced by its successor; one that was replaced gets the session's current one until its
    /// successor was used, and for 30 seconds beyond; after that it has been copied, and ends the session.
    pub(crate) async fn refresh(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut best = self.best(self.cookies.read(call), call.now).await?;
        call.refuse_unread_query()?;
        let key = self.signer.key(call.now).await?;
        let mut next = None;
        if let Standing::Current = best.standing {
            next = self.rotate(&best.token, &best.session, call.now).await?;
            if next.is_none() {
                // Somebody else rotated it in between: the session as it is now tells who is who.
                best = self.best(vec![best.token], call.now).await?;
            }
        }
        let Brought { user, session, standing, .. } = best;
        let (current, used_at) = match next {
            Some(next) => (next, call.now),
            None => (self.current_of_replaced(standing, &session, call.now).await?, known_use(&session, call.now)),
        };
        let opened = Opened { session: &session, refresh: &current, used_at, email_problem: user.email_problem };
        self.tokens(opened, &user.siret, &key, call.now, rng)
    }

    /// The best of the tokens, with its session.
    async fn best(&self, tokens: Vec<RefreshToken>, now: Timestamp) -> Result<Brought, Problem> {
        self.brought(tokens, now).await?.into_iter().next().ok_or(Problem::AuthenticationRequired)
    }

    async fn rotate(
        &self,
        token: &RefreshToken,
        session: &Session,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>, Problem> {
        let next = token.successor(&self.refresh_key);
        let change = Change::new()
            .set("refresh_hash", &next.hash())?
            .set("rotations", &RefreshToken::rotations_with(session, now))?
            .set("last_used_at", &now.as_millisecond())?
            .add("generation", 1);
        Ok(self.change_unrotated(session, &change).await?.then_some(next))
    }

    async fn current_of_replaced(
        &self,
        standing: Standing,
        session: &Session,
        now: Timestamp,
    ) -> Result<RefreshToken, Problem> {
        match standing {
            Standing::Replaced(current) => {
                // Whoever repeats is there: a session does not lie idle because its answers get lost. Where it was
                // rotated meanwhile, that is its last use.
                if known_use(session, now) == now {
                    let used = Change::new().set("last_used_at", &now.as_millisecond())?;
                    self.change_unrotated(session, &used).await?;
                }
                Ok(current)
            }
            Standing::Stolen => {
                self.store.delete(&Session::key_of(session.user_id, session.session_id)).await?;
                Err(Problem::AuthenticationRequired)
            }
            Standing::Current | Standing::Foreign => Err(Problem::AuthenticationRequired),
        }
    }

    /// Changes a session that is there and was not rotated since it was read.
    async fn change_unrotated(&self, session: &Session, change: &Change) -> Result<bool, StoreError> {
        let unchanged = Condition::is("refresh_hash", &session.refresh_hash)?;
        let key = Session::key_of(session.user_id, session.session_id);
        self.store.update(&key, change, Some(&unchanged)).await
    }
}

/// The use of a session that a repeated refresh at `now` leaves on record: the last one where that is recent enough.
fn known_use(session: &Session, now: Timestamp) -> Timestamp {
    let is_recent = now.as_millisecond() - session.last_used_at.as_millisecond() <= USE_KNOWN_FOR;
    if is_recent { session.last_used_at } else { now }
}

//! `POST /api/sessions/refresh`: rotates the refresh token.

use portal::http::{Answer, Call, Problem};
use portal::security::{Hints, RefreshToken, Standing};
use portal::store::{Batch, Change, Condition, Session, User};
use rand::CryptoRng;

use crate::Function;
use crate::signer::Opened;

impl Function {
    /// The current token is replaced by its successor; one that was replaced within the last 30 seconds
    /// gets the session's current one; one that was replaced longer ago has been copied, and ends the
    /// session.
    pub(crate) async fn refresh(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let token = self.cookies.read(call).ok_or(Problem::AuthenticationRequired)?;
        let mut batch = Batch::new();
        let user = batch.want::<User>(User::key_of(token.user_id));
        let session = batch.want::<Session>(Session::key_of(token.user_id, token.session_id));
        let mut fetched = self.store.fetch(batch).await?;
        let (Some(user), Some(mut session)) = (fetched.take(&user)?, fetched.take(&session)?) else {
            return Err(Problem::AuthenticationRequired);
        };
        if user.epoch != session.epoch || !session.is_alive(call.now) {
            return Err(Problem::AuthenticationRequired);
        }
        call.refuse_unread_query()?;
        let key = self.signer.key(call.now).await?;
        let current = match token.standing(&session, &self.refresh_key, call.now) {
            Standing::Current => match self.rotate(&token, &session, call).await? {
                Some(next) => next,
                None => {
                    // Somebody else rotated it in between: the session as it is now tells who is who.
                    let place = Session::key_of(token.user_id, token.session_id);
                    session = self.store.get(&place).await?.ok_or(Problem::AuthenticationRequired)?;
                    self.current_of_replay(token.standing(&session, &self.refresh_key, call.now), &session).await?
                }
            },
            standing => self.current_of_replay(standing, &session).await?,
        };
        let hints = Hints { siret: &user.siret, email: &user.email };
        let opened = Opened { session: &session, refresh: &current, email_problem: user.email_problem };
        self.tokens(opened, hints, &key, call.now, rng)
    }

    async fn rotate(
        &self,
        token: &RefreshToken,
        session: &Session,
        call: &Call,
    ) -> Result<Option<RefreshToken>, Problem> {
        let next = token.successor(&self.refresh_key);
        let change = Change::new()
            .set("refresh_hash", &next.hash())?
            .set("rotations", &RefreshToken::rotations_with(session, call.now))?
            .set("last_used_at", &call.now.as_millisecond())?
            .add("generation", 1);
        let unchanged = Condition::is("refresh_hash", &session.refresh_hash)?;
        let key = Session::key_of(session.user_id, session.session_id);
        Ok(self.store.update(&key, &change, Some(&unchanged)).await?.then_some(next))
    }

    async fn current_of_replay(&self, standing: Standing, session: &Session) -> Result<RefreshToken, Problem> {
        match standing {
            Standing::Replayed(current) => Ok(current),
            Standing::Stolen => {
                self.store.delete(&Session::key_of(session.user_id, session.session_id)).await?;
                Err(Problem::AuthenticationRequired)
            }
            Standing::Current | Standing::Foreign => Err(Problem::AuthenticationRequired),
        }
    }
}

//! The sessions whose refresh tokens a call brings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portal::domain::Id;
use portal::security::{RefreshToken, Standing};
use portal::store::{Batch, Session, StoreError, User};

use crate::Function;

/// A refresh token, with the session that it names as that was read.
pub(crate) struct Brought {
    pub(crate) token: RefreshToken,
    pub(crate) user: User,
    pub(crate) session: Session,
    pub(crate) standing: Standing,
}

impl Brought {
    /// The smaller, the better a session may go on with it.
    fn rank(&self) -> u8 {
        match self.standing {
            Standing::Current => 0,
            Standing::Replaced(_) => 1,
            Standing::Stolen => 2,
            Standing::Foreign => 3,
        }
    }

    /// Whether it is good for the session.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.standing, Standing::Current | Standing::Replaced(_))
    }
}

impl Function {
    /// Reads, in one call, the live sessions of all tokens; the best of them first.
    pub(crate) async fn brought(&self, tokens: Vec<RefreshToken>, now: Timestamp) -> Result<Vec<Brought>, StoreError> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = Batch::new();
        let mut wanted = BTreeMap::<(Id, Id), _>::new();
        for token in &tokens {
            wanted.entry((token.user_id, token.session_id)).or_insert_with(|| {
                let user = batch.want::<User>(User::key_of(token.user_id));
                (user, batch.want::<Session>(Session::key_of(token.user_id, token.session_id)))
            });
        }
        let mut fetched = self.store.fetch(batch).await?;
        let mut users = BTreeMap::<Id, User>::new();
        let mut sessions = BTreeMap::<(Id, Id), Session>::new();
        for (ids, (user, session)) in &wanted {
            users.extend(fetched.take(user)?.map(|user| (user.user_id, user)));
            sessions.extend(fetched.take(session)?.map(|session| (*ids, session)));
        }
        let mut brought = Vec::new();
        for token in tokens {
            let session = sessions.get(&(token.user_id, token.session_id));
            let (Some(user), Some(session)) = (users.get(&token.user_id), session) else { continue };
            if user.epoch == session.epoch && session.is_alive(now) {
                let standing = token.standing(session, &self.refresh_key, now);
                brought.push(Brought { token, user: user.clone(), session: session.clone(), standing });
            }
        }
        brought.sort_by_key(Brought::rank);
        Ok(brought)
    }
}

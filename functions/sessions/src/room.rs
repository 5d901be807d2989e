//! Room for one more session: a user has [`Session::MOST`] at most, and the oldest go.
//!
//! The log-in's item counts what was opened with it, in the transaction that opens it. So as long as few log-ins are
//! counted, there is room, and nobody looks at the sessions; and however many log in at once, there are never more
//! sessions than were counted.

use jiff::Timestamp;
use portal::store::{Change, Condition, Key, Login, Record as _, Session, StoreError};

use crate::Function;

/// How many sessions one log-in ends at most, for its transaction's sake. There are no more, unless some were written
/// before they were counted.
const MOST_ENDED: usize = 80;

/// What makes room for a session, to be written with it.
pub(crate) struct Room {
    /// The sessions that end.
    pub(crate) ended: Vec<Key>,
    /// What counts the new one in the log-in's item.
    pub(crate) change: Change,
    /// That nobody else took the room meanwhile.
    pub(crate) condition: Condition,
}

impl Function {
    /// Finds room for a session that is opened at `now`, beside those that end anyway.
    pub(crate) async fn room(&self, login: &Login, ending: &[Key], now: Timestamp) -> Result<Room, StoreError> {
        if !login.may_be_full() {
            let change = Change::new().prepend("opened", &now.as_millisecond())?;
            let condition = Condition::WithoutElement("opened", Session::MOST - 1);
            return Ok(Room { ended: Vec::new(), change, condition });
        }
        let mut sessions: Vec<Session> = self.store.query_all(&Session::all_of(login.user_id)).await?;
        sessions.retain(|session| !ending.contains(&session.key()));
        let is_alive = |session: &Session| session.is_alive(now) && session.epoch == login.epoch;
        // What has ended goes first, and whole: DynamoDB may take days to delete it.
        sessions.sort_by_key(|session| (is_alive(session), session.created_at, session.session_id));
        let dead = sessions.iter().filter(|session| !is_alive(session)).count();
        let over = (sessions.len() + 1).saturating_sub(Session::MOST).max(dead).min(MOST_ENDED);
        let kept = sessions.split_off(over);
        let kept = kept.iter().rev().map(|session| session.created_at.as_millisecond());
        let opened: Vec<i64> = [now.as_millisecond()].into_iter().chain(kept).collect();
        Ok(Room {
            ended: sessions.iter().map(Session::key).collect(),
            change: Change::new().set("opened", &opened)?,
            condition: login.same_opened()?,
        })
    }
}

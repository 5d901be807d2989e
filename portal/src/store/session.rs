//! Sessions.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, Table};
use crate::domain::Id;

/// One log-in on one device, kept alive by its refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub user_id: Id,
    /// Which it is.
    pub session_id: Id,
    /// SHA-256 of the current refresh token.
    pub refresh_hash: String,
    /// How often the token was rotated.
    pub generation: u32,
    /// When it was rotated last, in milliseconds, oldest first: as far back as a delayed request may come from.
    pub rotations: Vec<i64>,
    /// The user's epoch at log-in.
    pub epoch: u64,
    /// When it began.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was refreshed last, whether the answer arrived or not.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub last_used_at: Timestamp,
    /// When it ends, used or not.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// The address that it began from.
    pub ip: Option<String>,
    /// The browser that it began in.
    pub user_agent: Option<String>,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl Session {
    /// A session ends after this long without a refresh.
    pub const IDLE: Duration = Duration::from_secs(2 * 3600);
    /// A session ends after this long, used or not.
    pub const LONGEST: Duration = Duration::from_secs(12 * 3600);

    /// A user has so many sessions at most; the next log-in ends the oldest.
    pub const MOST: usize = 50;

    /// A session ends after so many refreshes: one every ten seconds all day. A token's place in the chain is
    /// found by walking it, which has to have an end.
    pub const MOST_ROTATIONS: u32 = 4_320;

    /// Where a session is stored.
    #[must_use]
    pub fn key_of(user_id: Id, session_id: Id) -> Key {
        Key::new(Table::Identity, format!("USER#{user_id}"), format!("SESSION#{session_id}"))
    }

    /// All sessions of a user, alive or not.
    #[must_use]
    pub fn all_of(user_id: Id) -> Query {
        Query::partition(Table::Identity, format!("USER#{user_id}")).beginning("SESSION#")
    }

    /// Whether it has neither ended nor lain idle too long, nor been refreshed beyond measure.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now < self.expires_at && now < self.last_used_at + Self::IDLE && self.generation < Self::MOST_ROTATIONS
    }
}

impl Record for Session {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, self.session_id)
    }
}

//! Guards: what was posted for a source key.

use serde::{Deserialize, Serialize};

use super::Marks;
use crate::domain::{Identifier, MemberNumber};
use crate::store::{Key, Record, Table};

/// What was posted for a `(source, source_key)`, so that a repeat changes nothing and a higher version
/// finds what it corrects. In a partition of its own, because a correction may change the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The system that sends it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// The newest version that came.
    pub source_version: u64,
    /// SHA-256 of that version's content, to tell a repeat from a conflict.
    pub content_hash: String,
    /// How often that version was moved to another view, scheme or account.
    pub moves: u32,
    /// What it became.
    pub subject: Subject,
    /// What the last run that posts in pieces did with the lines of this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
    /// Counted up with each write.
    pub version: u64,
}

/// What a source record became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An action.
    Action(ActionPlace),
    /// An entry.
    Entry {
        /// The entry in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        posted: Option<EntryPlace>,
        /// The action that the newest version waits for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<ActionPlace>,
    },
}

/// An action of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActionPlace {
    /// The account.
    pub account: MemberNumber,
    /// The action.
    pub action_id: Identifier,
}

/// Where an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryPlace {
    /// The account.
    pub account: MemberNumber,
    /// Its sort key.
    pub sk: String,
}

impl Guard {
    /// Where a guard is stored.
    #[must_use]
    pub fn key_of(source: &Identifier, source_key: &Identifier) -> Key {
        Key::new(Table::Ledger, format!("SOURCE#{source}#{source_key}"), "GUARD")
    }
}

impl Record for Guard {
    fn key(&self) -> Key {
        Self::key_of(&self.source, &self.source_key)
    }
}

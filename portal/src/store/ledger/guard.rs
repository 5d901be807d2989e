//! Guards: what was posted for a source key.

use serde::{Deserialize, Serialize};

use super::{Fingerprint, Marks, WaitingPlace};
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
    /// The newest version that came, but for one that waits for its member; 0 before the first.
    pub source_version: u64,
    /// SHA-256 of that version's content, to tell a repeat from a conflict.
    pub content_hash: String,
    /// How often that version was moved to another view, scheme or account.
    pub moves: u32,
    /// What it became.
    pub subject: Subject,
    /// The hash of what is in force for it: of the entry's item, or of the action's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<Fingerprint>,
    /// The hash of what waits for its action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Fingerprint>,
    /// The newer version that waits for its member, if any does; all else here is of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    /// Of an entry, the accounts that it has left, but for the oldest where they are very many: they have a mark of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<MemberNumber>,
    /// Of an entry that was withdrawn, the account that it was withdrawn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_from: Option<MemberNumber>,
    /// The version before the newest one, where that is so much higher that it looks mistyped; 0 where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumped_from: Option<u64>,
    /// Versions that were withdrawn as mistyped, and that are higher than those that followed: they stay out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void: Vec<u64>,
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
    /// Nothing yet.
    Nothing,
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
    /// Nothing any more: it was withdrawn, and stays so until a later version comes.
    Withdrawn(Withdrawn),
}

/// The thing that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawn {
    /// A key under which nothing had come; an older version that comes late is not posted.
    Nothing,
    /// An action, of this account and number: entries that wait for it wait there.
    Action(ActionPlace),
    /// An entry.
    Entry,
}

/// A kind of record that has a key of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyedRecord {
    /// An action.
    Action,
    /// An entry.
    Entry,
}

/// A version that waits for its member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// The version.
    pub source_version: u64,
    /// SHA-256 of its content.
    pub content_hash: String,
    /// Where it waits.
    pub place: WaitingPlace,
    /// Of an action, the accounts and numbers that older versions named: entries may name them, and find their way from there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<ActionPlace>,
    /// The hash of the item that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Fingerprint>,
}

impl Waits {
    /// No honest action has moved so often while its member was awaited.
    const MOST_FORMERLY: usize = 16;

    /// Remembers where an older version was to be; `false` where that is nothing new.
    pub fn remember(&mut self, place: &ActionPlace) -> bool {
        let is_new =
            self.place.is_action && self.place.action().as_ref() != Some(place) && !self.formerly.contains(place);
        let is_room = self.formerly.len() < Self::MOST_FORMERLY;
        if is_new && is_room {
            self.formerly.push(place.clone());
        }
        is_new && is_room
    }
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
    /// No entry was ever in so many wrong accounts; an item holds 400 KB. The mark of one that is not noted any more stays.
    pub const MOST_LEFT: usize = 1_000;

    /// A guard of a key that nothing was posted for.
    #[must_use]
    pub fn of_nothing(source: Identifier, source_key: Identifier) -> Self {
        Self {
            source,
            source_key,
            source_version: 0,
            content_hash: String::new(),
            moves: 0,
            subject: Subject::Nothing,
            in_force: None,
            kept: None,
            waits: None,
            left: Vec::new(),
            withdrawn_from: None,
            jumped_from: None,
            void: Vec::new(),
            marks: None,
            version: 0,
        }
    }

    /// The newest version that came and the hash of its content; `None` where nothing did that counts.
    #[must_use]
    pub fn newest(&self) -> Option<(u64, &str)> {
        match (&self.waits, &self.subject) {
            (Some(waits), _) => Some((waits.source_version, &waits.content_hash)),
            (None, Subject::Nothing) => None,
            (None, _) => Some((self.source_version, &self.content_hash)),
        }
    }

    /// The kind of record that its key names; `None` where nothing says it yet.
    #[must_use]
    pub fn kind(&self) -> Option<KeyedRecord> {
        match &self.subject {
            Subject::Action(_) | Subject::Withdrawn(Withdrawn::Action(_)) => Some(KeyedRecord::Action),
            Subject::Entry { .. } | Subject::Withdrawn(Withdrawn::Entry) => Some(KeyedRecord::Entry),
            Subject::Nothing | Subject::Withdrawn(Withdrawn::Nothing) => {
                let is_action = self.waits.as_ref()?.place.is_action;
                Some(if is_action { KeyedRecord::Action } else { KeyedRecord::Entry })
            }
        }
    }

    /// The accounts that what was posted for it is in, or was as far as that is noted.
    pub fn accounts(&self) -> impl Iterator<Item = &MemberNumber> {
        let entry = match &self.subject {
            Subject::Entry { posted, .. } => posted.as_ref().map(|place| &place.account),
            _ => None,
        };
        let action = self.action().map(|place| &place.account);
        action.into_iter().chain(entry).chain(&self.left).chain(&self.withdrawn_from)
    }

    /// The action of this key and its account, in force or withdrawn.
    #[must_use]
    pub fn action(&self) -> Option<&ActionPlace> {
        match &self.subject {
            Subject::Action(place) | Subject::Withdrawn(Withdrawn::Action(place)) => Some(place),
            Subject::Nothing | Subject::Entry { .. } | Subject::Withdrawn(_) => None,
        }
    }

    /// Notes that its entry leaves an account; returns false where the account was noted before.
    pub fn leave(&mut self, account: &MemberNumber) -> bool {
        let is_new = !self.left.contains(account);
        if is_new {
            if self.left.len() >= Self::MOST_LEFT {
                self.left.remove(0);
            }
            self.left.push(account.clone());
        }
        is_new
    }

    /// Notes that its entry is in an account again; returns false where it had not left it.
    pub fn return_to(&mut self, account: &MemberNumber) -> bool {
        let place = self.left.iter().position(|left| left == account);
        place.map(|place| self.left.remove(place)).is_some()
    }

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

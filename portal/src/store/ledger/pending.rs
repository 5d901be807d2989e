//! Entries that wait for their action.

use serde::{Deserialize, Serialize};

use super::{ActionPlace, EntryFacts, Fingerprint, partition};
use crate::domain::Identifier;
use crate::store::{Key, Query, Record, StoreError, Table, to_item};

/// An entry for an action that has not come yet. It counts nowhere; when the action comes it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The action that it waits for.
    pub place: ActionPlace,
    /// The system that sent it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Its version there.
    pub source_version: u64,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// What the fund says of it.
    pub facts: EntryFacts,
    /// The reason for which it waits.
    #[serde(default, skip_serializing_if = "Awaits::is_action")]
    pub awaits: Awaits,
}

/// The reason for which an entry waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaits {
    /// Its action, which has not come.
    #[default]
    Action,
    /// Leave to be posted on its action, which another source sent.
    Source,
}

impl Awaits {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_action(&self) -> bool {
        *self == Self::Action
    }
}

impl Pending {
    /// Where it is stored.
    #[must_use]
    pub fn key_of(place: &ActionPlace, source: &Identifier, source_key: &Identifier) -> Key {
        let ActionPlace { account, action_id } = place;
        Key::new(Table::Ledger, partition(account), format!("PENDING#{action_id}#{source}#{source_key}"))
    }

    /// The hash of its item.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Ok(Fingerprint::of(&to_item(self)?))
    }

    /// All that wait for an action.
    #[must_use]
    pub fn all(place: &ActionPlace) -> Query {
        let ActionPlace { account, action_id } = place;
        Query::partition(Table::Ledger, partition(account)).beginning(format!("PENDING#{action_id}#"))
    }
}

impl Record for Pending {
    fn key(&self) -> Key {
        Self::key_of(&self.place, &self.source, &self.source_key)
    }
}

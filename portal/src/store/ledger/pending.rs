//! Entries that wait for their action.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::waiting::waiting_partition;
use super::{ActionPlace, EntryFacts, Fingerprint};
use crate::domain::{Identifier, MemberNumber};
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
    /// Since when a version of its key has waited.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
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
    /// The key under which it is stored.
    #[must_use]
    pub fn key_of(place: &ActionPlace, source: &Identifier, source_key: &Identifier) -> Key {
        let ActionPlace { account, action_id } = place;
        Key::new(Table::Ledger, waiting_partition(account), format!("PENDING#{action_id}#{source}#{source_key}"))
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
        Query::partition(Table::Ledger, waiting_partition(account)).beginning(format!("PENDING#{action_id}#"))
    }
}

impl Record for Pending {
    fn key(&self) -> Key {
        Self::key_of(&self.place, &self.source, &self.source_key)
    }
}

/// An action that entries wait for. It is there as long as any does, so that all that waits is found without reading every
/// account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedAction {
    /// The action, and the account in which entries wait for it.
    pub place: ActionPlace,
}

/// The partition of all awaited actions.
const AWAITED_ACTIONS: &str = "AWAITED_ACTIONS";

impl AwaitedAction {
    /// Where it is stored.
    #[must_use]
    pub fn key_of(ActionPlace { account, action_id }: &ActionPlace) -> Key {
        Key::new(Table::Ledger, AWAITED_ACTIONS, format!("{account}#{action_id}"))
    }

    /// All awaited actions, by their accounts.
    #[must_use]
    pub fn all() -> Query {
        Query::partition(Table::Ledger, AWAITED_ACTIONS)
    }

    /// Those of an account.
    #[must_use]
    pub fn of(account: &MemberNumber) -> Query {
        Self::all().beginning(format!("{account}#"))
    }
}

impl Record for AwaitedAction {
    fn key(&self) -> Key {
        Self::key_of(&self.place)
    }
}

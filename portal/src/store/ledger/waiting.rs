//! Records that wait for their member.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{ActionPlace, EntryFacts, Fingerprint};
use crate::domain::{ActionStatus, Identifier, MemberNumber, Scheme};
use crate::store::{Key, Query, Record, StoreError, Table, to_item};

/// The partition of all awaited members: reports read it, and every batch looks there for who has come.
const AWAITED: &str = "AWAITED";

/// A record of the ledger whose member account has not come yet. It counts nowhere; when the member comes it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRecord {
    /// Where it waits.
    pub place: WaitingPlace,
    /// The system that sent it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Its version there.
    pub source_version: u64,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// The file of that batch.
    pub file: String,
    /// The line of that file, counted from 1.
    pub line: u64,
    /// What it says.
    pub content: WaitingContent,
    /// Since when a version of its key has waited.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
}

/// The partition of what waits in an account. Nothing else is ever deleted from the ledger, so a policy allows deletes by
/// partition keys, and those of accounts are none of them.
pub(super) fn waiting_partition(number: &MemberNumber) -> String {
    format!("WAITING#{number}")
}

/// All that waits in an account: for its actions, then for the account itself.
#[must_use]
pub fn whole_waiting(number: &MemberNumber) -> Query {
    Query::partition(Table::Ledger, waiting_partition(number))
}

/// What a record says that waits for its member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingContent {
    /// The current state of an action.
    Action {
        /// What is taught.
        title: String,
        /// What funds it.
        scheme: Scheme,
        /// How far it has come.
        status: ActionStatus,
        /// When it was engaged.
        engagement_date: Date,
    },
    /// An accounting fact.
    Entry(EntryFacts),
}

/// Where a record waits: the account, the action that it is or belongs to, and which of both it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingPlace {
    /// The account that has not come.
    pub account: MemberNumber,
    /// The action; a contribution has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Identifier>,
    /// Whether it is the action itself.
    pub is_action: bool,
}

impl WaitingPlace {
    /// The action that it is or belongs to.
    #[must_use]
    pub fn action(&self) -> Option<ActionPlace> {
        let action_id = self.action_id.clone()?;
        Some(ActionPlace { account: self.account.clone(), action_id })
    }
}

impl WaitingRecord {
    /// Where it is stored: an action before its entries, which are then posted without waiting for it.
    #[must_use]
    pub fn key_of(place: &WaitingPlace, source: &Identifier, source_key: &Identifier) -> Key {
        let action_id = place.action_id.as_ref().map_or("", Identifier::as_str);
        let kind = if place.is_action { "ACTION" } else { "ENTRY" };
        let sk = format!("WAITING#{action_id}#{kind}#{source}#{source_key}");
        Key::new(Table::Ledger, waiting_partition(&place.account), sk)
    }

    /// All that wait for an account.
    #[must_use]
    pub fn all(account: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, waiting_partition(account)).beginning("WAITING#")
    }

    /// The hash of its item.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Ok(Fingerprint::of(&to_item(self)?))
    }

    /// Returns true for money whose side is that of its transfer: it is posted after the payments that say it.
    #[must_use]
    pub fn comes_back(&self) -> bool {
        matches!(&self.content, WaitingContent::Entry(facts) if facts.has_side_of_transfer())
    }
}

impl Record for WaitingRecord {
    fn key(&self) -> Key {
        Self::key_of(&self.place, &self.source, &self.source_key)
    }
}

/// A member account that has not come yet, or whose records are not all posted yet, and what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedMember {
    /// Its number.
    pub member_number: MemberNumber,
    /// How many records wait for it.
    pub records: u64,
    /// Since when there are any.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// Counted up with each write.
    pub version: u64,
}

impl AwaitedMember {
    /// A member that nothing waits for yet.
    #[must_use]
    pub fn of_nothing(member_number: MemberNumber, since: Timestamp) -> Self {
        Self { member_number, records: 0, since, version: 0 }
    }

    /// Where it is stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Ledger, AWAITED, number.as_str())
    }

    /// All awaited members.
    #[must_use]
    pub fn all() -> Query {
        Query::partition(Table::Ledger, AWAITED)
    }
}

impl Record for AwaitedMember {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

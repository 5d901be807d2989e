//! Versions of actions: what the fund said of an action, when, and what that replaced. Written once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ActionState, Fingerprint, account_of, partition, pieces};
use crate::domain::{Identifier, MemberNumber, View};
use crate::store::{Key, Query, Record, StoreError, Table, to_item};

/// One version of an action in an account: a row of its history. It is written in the transaction that changes the
/// action, and never changed or deleted. It stays with the account in which it was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ActionVersion {
    /// The account that had the action then.
    pub member_number: MemberNumber,
    /// The action.
    pub action_id: Identifier,
    /// Its number among the versions of the action in this account, from 1 without gaps.
    pub number: u64,
    /// The change of the action.
    pub change: ActionChange,
    /// The system that sent it.
    pub source: Identifier,
    /// The action's key there.
    pub source_key: Identifier,
    /// The version there.
    pub source_version: u64,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// The instant at which it was booked.
    pub booked_at: Timestamp,
    /// The state that the fund says since; nothing where the account has the action no more.
    pub state: Option<ActionState>,
    /// The state that it replaced; nothing where the account did not have the action.
    pub replaced: Option<ActionState>,
}

/// The change that a version made to an action in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionChange {
    /// It came: as a new one, back after a withdrawal, or from another account.
    Added,
    /// The fund says something else of it.
    Changed,
    /// It belongs to another account since.
    Moved,
    /// It was withdrawn.
    Withdrawn,
}

impl ActionVersion {
    /// The versions of an action in an account, oldest first.
    #[must_use]
    pub fn of(number: &MemberNumber, action_id: &Identifier) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(format!("{PREFIX}#{action_id}#"))
    }

    /// The versions of all actions of an account, those of one action after each other, oldest first.
    #[must_use]
    pub fn all(number: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(format!("{PREFIX}#"))
    }

    /// The views that it was booked to: where the action is since, and where it was before.
    pub fn views(&self) -> impl Iterator<Item = View> + use<> {
        let view = |state: &Option<ActionState>| state.as_ref().map(|state| state.home.view);
        let (since, before) = (view(&self.state), view(&self.replaced));
        since.into_iter().chain(before.filter(|before| Some(*before) != since))
    }

    /// The hash of its item.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Ok(Fingerprint::of(&to_item(self)?))
    }
}

/// The beginning of the sort keys: behind all actions and their entries, before what has to agree with them.
const PREFIX: &str = "ACTION_VERSION";

impl Record for ActionVersion {
    fn key(&self) -> Key {
        let sk = format!("{PREFIX}#{}#{:010}", self.action_id, self.number);
        Key::new(Table::Ledger, partition(&self.member_number), sk)
    }
}

/// The item. What the key says is not said again.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    change: ActionChange,
    source: Identifier,
    source_key: Identifier,
    source_version: u64,
    batch_id: Identifier,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    booked_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<ActionState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced: Option<ActionState>,
}

impl TryFrom<Stored> for ActionVersion {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let [PREFIX, action_id, number] = pieces(&stored.sk)? else {
            return Err("not the sort key of a version of an action".to_owned());
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            action_id: Identifier::parse(action_id).map_err(|refusal| refusal.en)?,
            number: number.parse().map_err(|_| "a version without a number")?,
            change: stored.change,
            source: stored.source,
            source_key: stored.source_key,
            source_version: stored.source_version,
            batch_id: stored.batch_id,
            booked_at: stored.booked_at,
            state: stored.state,
            replaced: stored.replaced,
        })
    }
}

impl From<ActionVersion> for Stored {
    fn from(version: ActionVersion) -> Self {
        let Key { pk, sk, .. } = version.key();
        Self {
            pk,
            sk,
            change: version.change,
            source: version.source,
            source_key: version.source_key,
            source_version: version.source_version,
            batch_id: version.batch_id,
            booked_at: version.booked_at,
            state: version.state,
            replaced: version.replaced,
        }
    }
}

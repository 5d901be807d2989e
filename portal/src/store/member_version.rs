//! Versions of members: what the fund said of a member account, when, and what that replaced. Written once.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Account, Key, Query, Record, Table};
use crate::domain::{Identifier, MemberNumber, Siret};

/// One version of a member's record: a row of its history, written in the transaction that changes the account and never
/// changed after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberVersion {
    /// The account.
    pub member_number: MemberNumber,
    /// The version of the fund's record.
    pub version: u64,
    /// The system that sent it.
    pub source: Identifier,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// The instant at which it was booked.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub booked_at: Timestamp,
    /// The fund's record since.
    pub said: SaidOfMember,
    /// The record that it replaced; nothing where the account is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<SaidOfMember>,
    /// True where the contact's address is another one than before. No history keeps addresses: they are of people.
    pub contact_changed: bool,
}

/// The fund's record of a member, but for whom to write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidOfMember {
    /// Its establishment.
    pub siret: Siret,
    /// The establishment's name.
    pub name: String,
    /// The count of those who work there, in the fund's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headcount_band: Option<String>,
    /// Since when it is a member.
    pub opened_on: Date,
    /// The day from which on it is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Date>,
}

impl From<&Account> for SaidOfMember {
    fn from(account: &Account) -> Self {
        Self {
            siret: account.siret.clone(),
            name: account.name.clone(),
            headcount_band: account.headcount_band.clone(),
            opened_on: account.opened_on,
            closed_on: account.closed_on,
        }
    }
}

impl MemberVersion {
    /// The newest versions of a member, the newest first, so many at most.
    #[must_use]
    pub fn newest_of(number: &MemberNumber, most: i32) -> Query {
        Query::partition(Table::Members, partition(number)).beginning("VERSION#").newest_first().limit(most)
    }
}

impl Record for MemberVersion {
    fn key(&self) -> Key {
        Key::new(Table::Members, partition(&self.member_number), format!("VERSION#{:016}", self.version))
    }
}

fn partition(number: &MemberNumber) -> String {
    format!("ACCOUNT#{number}")
}

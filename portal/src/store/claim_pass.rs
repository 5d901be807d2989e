//! The way past the limit on guessing a member number: so that a stranger cannot keep an establishment out.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::domain::{MemberNumber, Siret};

/// Lets one claim of an establishment's account through, whatever failed before. Its link is mailed to the
/// contact address on the fund's file when the limit of the establishment is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPass {
    /// SHA-256 of the link's token: the token itself is nowhere.
    pub hash: String,
    /// The establishment.
    pub siret: Siret,
    /// Its account.
    pub member_number: MemberNumber,
    /// From when on it does nothing. Compared in conditions, as TTL deletes late.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl ClaimPass {
    /// A pass is good for a week: the contact address may be a general one that is not read every day.
    pub const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

    /// A pass from `now` on.
    #[must_use]
    pub fn new(hash: String, siret: Siret, member_number: MemberNumber, now: Timestamp) -> Self {
        let expires_at = now + Self::LIFETIME;
        Self { hash, siret, member_number, expires_at, ttl: expires_at.as_second() }
    }

    /// Where the pass with this hash is stored.
    #[must_use]
    pub fn key_of(hash: &str) -> Key {
        Key::new(Table::Identity, format!("CLAIM-PASS#{hash}"), "PASS")
    }
}

impl Record for ClaimPass {
    fn key(&self) -> Key {
        Self::key_of(&self.hash)
    }
}

//! « Ce n’est pas normal »: a claim that somebody of the establishment contests, and the link that lets them.
//!
//! A contest freezes the establishment: [`super::Establishment::contested`] is a condition of whatever gives
//! access or moves the role, and stays when the manager leaves. The record here is what the staff list.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Establishment, Key, Query, Record, Table};
use crate::domain::{Id, MemberNumber, Siret};

/// In an establishment: that its manager is contested, and by which [`Contest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contested {
    /// Which contest.
    pub contest_id: Id,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

/// A claim, by the seat and the moment at which it was taken: an account has one seat, so no two claims of it share
/// one. Who took it is not said, so that what is kept of a claim keeps nobody's id after their erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimOf {
    /// The establishment that the account was of then.
    pub siret: Siret,
    /// Its account.
    pub member_number: MemberNumber,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
}

impl ClaimOf {
    /// Whether an establishment's seat is still the one that was taken; the account may have another SIRET by now.
    #[must_use]
    pub fn stands(&self, establishment: &Establishment) -> bool {
        establishment.member_number == self.member_number
            && establishment.manager.as_ref().is_some_and(|manager| manager.since == self.since)
    }
}

/// How a contest ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContestOutcome {
    /// The staff found the claim to be right.
    Dismissed,
    /// The staff took the seat from the manager.
    Released,
    /// The manager had left, and the contact on the fund's file let somebody else claim.
    Replaced,
}

/// A contest, kept for good. It names nobody but by their random id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contest {
    /// Which.
    pub contest_id: Id,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// What is contested.
    pub claim: ClaimOf,
    /// Whose claim it is.
    pub manager: Id,
    /// Which user contests it; none where it is the contact on the fund's file.
    pub by: Option<Id>,
    /// How many links were used for it.
    pub voices: u32,
    /// How it ended; none while it freezes the establishment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ContestOutcome>,
}

impl Contest {
    /// Contests, the newest first.
    #[must_use]
    pub fn newest(limit: i32) -> Query {
        Query::partition(Table::Members, "CONTESTS").newest_first().limit(limit)
    }

    /// Where the contest of a frozen establishment is stored.
    #[must_use]
    pub fn key_of(contested: &Contested) -> Key {
        // Contests are rare: one partition lists them all. No two requests write one item of it, but those
        // about one establishment.
        let sk = format!("{:014}#{}", contested.at.as_millisecond(), contested.contest_id);
        Key::new(Table::Members, "CONTESTS", sk)
    }

    /// What freezes the establishment.
    #[must_use]
    pub fn mark(&self) -> Contested {
        Contested { contest_id: self.contest_id, at: self.at }
    }
}

impl Record for Contest {
    fn key(&self) -> Key {
        Self::key_of(&self.mark())
    }
}

/// Lets whoever was told of a claim contest it, once.
///
/// It holds no address: who is erased leaves nothing here, and their link does nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContestLink {
    /// SHA-256 of the link's token: the token itself is nowhere.
    pub hash: String,
    /// What it contests.
    pub claim: ClaimOf,
    /// Which user it was mailed to; none where it went to the contact on the fund's file.
    pub reader: Option<Id>,
    /// Whether it freezes; else it is a voice for the staff, of somebody who merely has the SIRET.
    pub freezes: bool,
    /// Whether its reader was of the establishment, and has to be still.
    pub of_establishment: bool,
    /// From when on it does nothing. Compared in conditions, as TTL deletes late.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl ContestLink {
    /// A link is good for thirty days: the contact address may be one that is read once a month, and what it
    /// opens is a question to the staff, not an account.
    pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

    /// A link about a claim that freezes, to be used until thirty days after it was wished for.
    #[must_use]
    pub fn new(hash: String, claim: ClaimOf, reader: Option<Id>, wished_at: Timestamp) -> Self {
        let expires_at = wished_at + Self::LIFETIME;
        let (freezes, of_establishment) = (true, false);
        Self { hash, claim, reader, freezes, of_establishment, expires_at, ttl: expires_at.as_second() }
    }

    /// Where the link with this hash is stored.
    #[must_use]
    pub fn key_of(hash: &str) -> Key {
        Key::new(Table::Identity, format!("CONTEST-LINK#{hash}"), "LINK")
    }
}

impl Record for ContestLink {
    fn key(&self) -> Key {
        Self::key_of(&self.hash)
    }
}

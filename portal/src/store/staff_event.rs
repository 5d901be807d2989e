//! What the fund's staff did: evidence like that of users, in partitions of its own.

use jiff::Timestamp;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::domain::Id;

/// What somebody of the staff did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StaffAct {
    /// Put a new version of a legal document into force.
    DocumentPublished,
    /// Looked an establishment up.
    EstablishmentLookedUp,
    /// Looked a user up.
    UserLookedUp,
    /// Was the first of two to want a manager released.
    ReleaseAsked,
    /// Was the second, and took the seat from the manager.
    ManagerReleased,
    /// Found a contested claim to be right.
    ContestDismissed,
    /// Let somebody claim an account again from whom its role was taken.
    ClaimAllowed,
    /// Had a mail sent again.
    MailResent,
    /// Had a pass mailed that lets one claim through.
    PassMailed,
    /// Closed a member account.
    AccountClosed,
    /// Listed the contests.
    ContestsListed,
    /// Listed the alerts.
    AlertsListed,
    /// Listed what waits in the ledger.
    WaitingListed,
    /// Published a news item, for now or for later.
    NewsPublished,
    /// Took a news item away.
    NewsWithdrawn,
    /// Put an application into the registry, or changed its entry.
    ApplicationPut,
    /// Took an application out of the registry.
    ApplicationRemoved,
    /// Had an address mailed again that bounced or complained.
    MailResumed,
}

/// One audit event of the staff.
///
/// Its actor has no user item, so there is no key that could seal them: the name is kept as it was given.
/// It is what the caller says; which role called is in CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffEvent {
    /// The event's own id.
    pub event_id: Id,
    /// Who did it: a name or an address of the fund.
    pub staff: String,
    /// Why, in their words.
    pub reason: String,
    /// What they did.
    pub act: StaffAct,
    /// When (UTC).
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// To what: `charter 2`, and the hash of its text.
    pub detail: String,
}

impl StaffEvent {
    /// What somebody of the staff does at `now`.
    pub fn new(
        staff: &str,
        reason: &str,
        act: StaffAct,
        detail: String,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let (staff, reason) = (staff.to_owned(), reason.to_owned());
        Self { event_id: Id::random(rng), staff, reason, act, at: now, detail }
    }
}

impl Record for StaffEvent {
    fn key(&self) -> Key {
        // Staff act a few times a day: a month is a partition that one query reads.
        let month = self.at.strftime("%Y-%m");
        let sk = format!("EVENT#{:014}#{}", self.at.as_millisecond(), self.event_id);
        Key::new(Table::Evidence, format!("STAFF#{month}"), sk)
    }
}

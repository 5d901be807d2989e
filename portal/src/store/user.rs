//! Users.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, CurrentDocument, EmailChange, EmailProblem, Key, Record, StoreError, Table};
use crate::domain::{Civility, Email, Id, JobTitle, Origin, PersonName, Siret};
use crate::security::SealKey;

/// A person with a personal space. Comes to be when the link mailed for their sign-up is used.
#[derive(Clone, Serialize, Deserialize)]
pub struct User {
    /// Random; also the subject of their evidence, so it says nothing once this item is erased.
    pub user_id: Id,
    /// The address that they sign in with.
    pub email: Email,
    /// How they are addressed.
    pub civility: Civility,
    /// Last name.
    pub last_name: PersonName,
    /// First name.
    pub first_name: PersonName,
    /// Function in the company.
    pub job_title: JobTitle,
    /// Their establishment.
    pub siret: Siret,
    /// Since when it is theirs, where it changed after the account came to be.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub siret_since: Option<Timestamp>,
    /// Moves at password change, log-out everywhere and erasure; a token of another epoch is dead.
    pub epoch: u64,
    /// The site that they signed up from.
    pub origin: Option<Origin>,
    /// When the account came to be.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// The newest charter version that they accepted.
    pub accepted_charter: Option<u32>,
    /// The changes of their address that can be undone, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_changes: Vec<EmailChange>,
    /// Why their address is not mailed any more; goes with the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_problem: Option<EmailProblem>,
    /// Moves whenever they give somebody access to an account, or are given a manager's role: who moves or is
    /// renamed in that moment looks again.
    #[serde(default)]
    pub dealings: u64,
    /// Until when they claim no account: for a day after a claim, and after leaving a manager's role.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub next_claim_at: Option<Timestamp>,
    /// Seals address and browser in their evidence; erasing this item makes both unreadable.
    pub seal_key: SealKey,
}

impl User {
    const STANDING: Duration = Duration::from_secs(7 * 24 * 3600);

    /// The pause after a claim, and after leaving a manager's role.
    pub const CLAIM_PAUSE: Duration = Duration::from_secs(24 * 3600);

    /// Where a user is stored.
    #[must_use]
    pub fn key_of(user_id: Id) -> Key {
        Key::new(Table::Identity, format!("USER#{user_id}"), "PROFILE")
    }

    /// Nobody got access from them, and they got no role, since they were read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same_dealings(&self) -> Result<Condition, StoreError> {
        let same = Condition::is("dealings", &self.dealings)?;
        // Who came before it was counted has none.
        Ok(if self.dealings == 0 { Condition::Any(vec![same, Condition::Without("dealings")]) } else { same })
    }

    /// Whether they have been of their establishment for so long that its claim is not closed to them by others' wrong
    /// numbers: a week, which a stranger has to have prepared.
    #[must_use]
    pub fn is_of_standing(&self, now: Timestamp) -> bool {
        self.siret_since.unwrap_or(self.created_at) + Self::STANDING <= now
    }

    /// Returns how long they claim no account, where that is so.
    #[must_use]
    pub fn claims_closed_for(&self, now: Timestamp) -> Option<Duration> {
        let left = self.next_claim_at?.as_millisecond() - now.as_millisecond();
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// Returns the condition that they may claim an account at `now`.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn may_claim(now: Timestamp) -> Result<Condition, StoreError> {
        let over = Condition::below("next_claim_at", &(now.as_millisecond() + 1))?;
        Ok(Condition::Any(vec![Condition::Without("next_claim_at"), over]))
    }

    /// Whether the charter in force is yet to be accepted (leaflet S46).
    #[must_use]
    pub fn owes(&self, charter: &CurrentDocument) -> bool {
        self.accepted_charter.is_none_or(|accepted| accepted < charter.version)
    }

    /// « Bonjour M. MARTIN » (leaflet S48).
    #[must_use]
    pub fn greeting(&self) -> String {
        format!("Bonjour {} {}", self.civility.title(), self.last_name)
    }
}

impl Record for User {
    fn key(&self) -> Key {
        Self::key_of(self.user_id)
    }
}

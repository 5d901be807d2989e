//! That somebody of the staff wants a manager released: it takes a second one to do it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClaimOf, Condition, Key, Record, StoreError, Table};
use crate::domain::may_be_one_person;

/// One intention at a time for an establishment. Another claim, or the end of its time, voids it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The claim that is to end.
    pub claim: ClaimOf,
    /// Who wants it, as they gave their name.
    pub staff: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl Release {
    /// A day: two people of one office meet within it, and nobody finds an old intention to confirm.
    pub const LIFETIME: Duration = Duration::from_secs(24 * 3600);

    /// Where the intention about an establishment is stored.
    #[must_use]
    pub fn key_of(siret: &crate::domain::Siret) -> Key {
        Key::new(Table::Members, format!("SIRET#{siret}"), "RELEASE")
    }

    /// From when on it cannot be confirmed.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.at + Self::LIFETIME
    }

    /// Whether it can be confirmed at `now` for this claim.
    #[must_use]
    pub fn is_about(&self, claim: &ClaimOf, now: Timestamp) -> bool {
        self.claim == *claim && now < self.until()
    }

    /// Whether a name may be of the person who wants it, however they write it.
    #[must_use]
    pub fn is_by(&self, staff: &str) -> bool {
        may_be_one_person(&self.staff, staff)
    }

    /// The intention is the one that was read, or there is still none.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same(seen: Option<&Self>) -> Result<Condition, StoreError> {
        match seen {
            Some(seen) => Ok(Condition::All(vec![
                Condition::is("at", &seen.at.as_millisecond())?,
                Condition::is("staff", &seen.staff)?,
                Condition::is("claim", &seen.claim)?,
            ])),
            None => Ok(Condition::Absent),
        }
    }
}

impl Record for Release {
    fn key(&self) -> Key {
        Self::key_of(&self.claim.siret)
    }
}

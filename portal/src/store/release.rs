//! That somebody of the staff wants a manager released: it takes a second one to do it.
//!
//! It stands on the establishment's item, names the person, and freezes what a contest freezes: between the two of the
//! staff the role goes nowhere, and leaving and coming back does not begin it anew.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Id, may_be_one_person};

/// One intention at a time for an account. Another person, or the end of its time, voids it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who is to lose the role.
    pub user_id: Id,
    /// Who wants it, as they gave their name.
    pub staff: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl Release {
    /// A day: two people of one office meet within it, and nobody finds an old intention to confirm.
    pub const LIFETIME: Duration = Duration::from_secs(24 * 3600);

    /// From when on it cannot be confirmed.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.at + Self::LIFETIME
    }

    /// Whether it can be confirmed at `now`, and freezes until then.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until()
    }

    /// Whether a name may be of the person who wants it, however they write it.
    #[must_use]
    pub fn is_by(&self, staff: &str) -> bool {
        may_be_one_person(&self.staff, staff)
    }
}

//! When a space was used last, and what is due because nobody uses it: a warning after 23 months, the end after 24.
//!
//! It stands in the log-in, which is read with each log-in anyway, and is written by the first of a day. The index
//! `expiry` has what is due in its order, so nobody reads a user for whom nothing is
//! (`docs/decisions/0068-spaces-that-nobody-uses.md`).

use jiff::civil::{Date, Time};
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Change, Condition, Login, Query, StoreError, Table};
use crate::domain::{FUND_ZONE, fund_day};

/// How far a space is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Used of late: a warning is due.
    Active,
    /// Its owner was warned: its end is due.
    Warned,
    /// It is being erased, and nobody logs in any more.
    Leaving,
}

impl Stage {
    /// As the index names its partition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Warned => "warned",
            Self::Leaving => "leaving",
        }
    }
}

/// When a space was used last, and what is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// The fund's day of the last log-in.
    pub used_on: Date,
    /// How far it is; the partition of the index.
    pub expiry: Stage,
    /// When the next step is due, in milliseconds; the order of the index.
    pub expiry_due: i64,
}

impl LastUse {
    /// The owner is warned after so long.
    pub const WARNED_AFTER_MONTHS: i32 = 23;
    /// The space ends after so long.
    pub const ENDS_AFTER_MONTHS: i32 = 24;
    /// And not before so many days after the warning, however late that was: as long as the shortest month.
    pub const WARNED_AHEAD_DAYS: i64 = 28;
    /// When a space that cannot end is looked at again.
    pub const AGAIN_AFTER_DAYS: i64 = 30;

    /// A log-in at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let used_on = fund_day(now);
        let expiry_due = months_after(used_on, Self::WARNED_AFTER_MONTHS).as_millisecond();
        Self { used_on, expiry: Stage::Active, expiry_due }
    }

    /// When the space ends, for somebody who is warned at `now`.
    #[must_use]
    pub fn ends_at(&self, now: Timestamp) -> Timestamp {
        months_after(self.used_on, Self::ENDS_AFTER_MONTHS).max(days_after(now, Self::WARNED_AHEAD_DAYS))
    }

    /// The owner was warned at `now`.
    #[must_use]
    pub fn warned(&self, now: Timestamp) -> Self {
        Self { expiry: Stage::Warned, expiry_due: self.ends_at(now).as_millisecond(), ..*self }
    }

    /// It cannot end yet.
    #[must_use]
    pub fn postponed(&self, now: Timestamp) -> Self {
        Self { expiry_due: days_after(now, Self::AGAIN_AFTER_DAYS).as_millisecond(), ..*self }
    }

    /// It is being erased.
    #[must_use]
    pub fn leaving(&self) -> Self {
        Self { expiry: Stage::Leaving, ..*self }
    }

    /// Whether the next step is due at `now`.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.expiry_due <= now.as_millisecond()
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where the change cannot be built.
    pub fn write(&self, change: Change) -> Result<Change, StoreError> {
        change.set("used_on", &self.used_on)?.set("expiry", &self.expiry)?.set("expiry_due", &self.expiry_due)
    }

    /// Nobody logged in, and nothing was done about it, since this was read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn unchanged(&self) -> Result<Condition, StoreError> {
        Ok(Condition::All(vec![
            Condition::is("expiry", &self.expiry)?,
            Condition::is("expiry_due", &self.expiry_due)?,
            Condition::is("used_on", &self.used_on)?,
        ]))
    }

    /// The log-ins for which the next step of a stage is due: keys only, the longest due first.
    #[must_use]
    pub fn due(stage: Stage, now: Timestamp) -> Query {
        let all = Query::partition(Table::Identity, stage.as_str()).global_index("expiry", "expiry_due");
        all.below(now.as_millisecond() + 1)
    }
}

impl Login {
    /// What a log-in at `now` writes of it: nothing, where one of the same day did.
    #[must_use]
    pub fn use_at(&self, now: Timestamp) -> Option<LastUse> {
        let now = LastUse::at(now);
        (self.last_use != now).then_some(now)
    }

    /// Whether it is being erased.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.last_use.expiry == Stage::Leaving
    }
}

/// So many months after the use that a log-in of a day allows is over. A session lives for twelve hours, so that is by
/// the end of the next day: nobody is warned, or goes, a minute too early, and nothing is written while they read.
fn months_after(used_on: Date, months: i32) -> Timestamp {
    let over = used_on.saturating_add(Span::new().days(2)).saturating_add(Span::new().months(months));
    // Midnight always is in Paris; where it were not, the day's first instant is meant.
    FUND_ZONE.to_timestamp(over.to_datetime(Time::midnight())).unwrap_or(Timestamp::MAX)
}

fn days_after(now: Timestamp, days: i64) -> Timestamp {
    now + std::time::Duration::from_secs(days.unsigned_abs() * 24 * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_counted_from_the_end_of_the_day_after_in_paris() {
        // 23:30 in Paris on the 25th; a session of then ends on the 26th.
        let used = LastUse::at(at("2026-11-25T22:30:00Z"));
        assert_eq!(used.used_on.to_string(), "2026-11-25");
        assert_eq!(used.expiry_due, at("2028-10-26T22:00:00Z").as_millisecond(), "midnight of summer in Paris");
        assert_eq!(LastUse::at(at("2026-11-25T23:30:00Z")).used_on.to_string(), "2026-11-26");
        assert!(!used.is_due(at("2028-10-26T21:59:59.999Z")) && used.is_due(at("2028-10-26T22:00:00Z")));
        let warned = used.warned(at("2028-10-26T22:00:00Z"));
        assert_eq!(warned.expiry_due, at("2028-11-26T23:00:00Z").as_millisecond());
        // Whoever is warned late has as long as the shortest month.
        let late = used.warned(at("2029-03-01T00:00:00Z"));
        assert_eq!(late.expiry_due, at("2029-03-29T00:00:00Z").as_millisecond());
    }

    #[test]
    fn a_second_log_in_of_a_day_writes_nothing_and_any_after_a_warning_does() {
        let used = LastUse::at(at("2026-11-25T08:00:00Z"));
        assert_eq!(LastUse::at(at("2026-11-25T20:00:00Z")), used);
        assert_ne!(used.warned(at("2026-11-25T21:00:00Z")), used);
    }
}

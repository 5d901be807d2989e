//! The state of a view: what was booked to it, and when.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The count of what was booked to a view, and the instant of the last of it.
///
/// Each transaction that posts to a view is booked at one instant, later than that of the one before. So the instant names
/// a state of the view: what was booked up to it is there, and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// The number of the last entry.
    #[serde(default)]
    pub postings: u64,
    /// The count of versions of actions: those that came, changed, left or were withdrawn.
    #[serde(default)]
    pub versions: u64,
    /// The instant of the last transaction; nothing before the first.
    #[serde(
        default,
        rename = "booked_at",
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub at: Option<Timestamp>,
}

/// The longest time after its instant in which a transaction is committed, with the clocks of two machines apart by what they
/// may be. The instant is taken right before the call that commits, and the call is given up long before.
const COMMITTED_WITHIN: SignedDuration = SignedDuration::from_mins(1);

impl Booked {
    /// Tells whether the last of it was committed before a call that began `now`. Then what the call read beside this state is of
    /// it or of a later one; otherwise it may have been read before.
    #[must_use]
    pub fn was_before(&self, now: Timestamp) -> bool {
        self.at.is_none_or(|at| now.duration_since(at) > COMMITTED_WITHIN)
    }

    /// The instant of the next transaction: now, or one behind the last where a clock is behind that.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let later = |last: Timestamp| last.saturating_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
        self.at.map_or(now, |last| now.max(later(last)))
    }

    /// The state of several views together: all their entries, and the last of their instants.
    #[must_use]
    pub fn of_all(views: impl IntoIterator<Item = Self>) -> Self {
        views.into_iter().fold(Self::default(), |all, view| Self {
            postings: all.postings.saturating_add(view.postings),
            versions: all.versions.saturating_add(view.versions),
            at: all.at.max(view.at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_booked_a_while_ago_is_surely_in_what_was_read_beside_it() {
        let now: Timestamp = "2012-10-15T08:21:40Z".parse().unwrap();
        let booked = |ago: i64| Booked { at: Some(now - SignedDuration::from_secs(ago)), ..Booked::default() };
        assert!(Booked::default().was_before(now) && booked(61).was_before(now));
        assert!(!booked(60).was_before(now) && !booked(0).was_before(now));
        // The clock of who posted is ahead.
        assert!(!booked(-5).was_before(now));
    }

    #[test]
    fn an_instant_is_behind_the_one_before_whatever_the_clock_says() {
        let [before, now] = [1_000, 5_000].map(|at| Timestamp::from_millisecond(at).unwrap());
        let booked = |at| Booked { at, ..Booked::default() };
        assert_eq!(booked(None).next(now), now);
        assert_eq!(booked(Some(before)).next(now), now);
        assert_eq!(booked(Some(now)).next(now).as_millisecond(), 5_001);
        assert_eq!(booked(Some(now)).next(before).as_millisecond(), 5_001);
        assert_eq!(booked(Some(Timestamp::MAX)).next(now), Timestamp::MAX);
    }
}

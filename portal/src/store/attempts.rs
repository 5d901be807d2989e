//! Failed guesses: how many there may be, and how long the door stays closed then.
//!
//! Failures are kept as instants, and every guess is decided by a write under the condition that no other
//! came between: however many run in parallel, no more fail than there may.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, Record, StoreError, Table};
use crate::domain::{Email, Id, Siret};

/// Failures count against a limit for this long.
const WINDOW: Duration = DAY;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The wrong member numbers of one user that are remembered beyond the day on which they count: by these the one guess
/// is rationed that a closed establishment still hears of them ([`Attempts::rest_for`]).
const REMEMBERED: (Duration, usize) = (Duration::from_secs(180 * 24 * 3600), 10);

/// What is being guessed, by whom or about whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guessed", rename_all = "kebab-case")]
pub enum Guessed {
    /// The password of an address, whether or not it has a space.
    Password {
        /// The address.
        email: Email,
    },
    /// A member number, by one user.
    MemberNumberBy {
        /// The user.
        user_id: Id,
    },
    /// The member number of one establishment, by whoever says that it is theirs.
    MemberNumberOf {
        /// The establishment.
        siret: Siret,
    },
}

impl Guessed {
    /// How many failures there may be within 24 hours.
    #[must_use]
    pub fn most(&self) -> usize {
        match self {
            Self::Password { .. } => 25,
            Self::MemberNumberBy { .. } => 5,
            Self::MemberNumberOf { .. } => 10,
        }
    }

    /// How long a failure is remembered, and how many are where more are than count.
    fn remembered(&self) -> (Duration, usize) {
        match self {
            Self::MemberNumberBy { .. } => REMEMBERED,
            Self::Password { .. } | Self::MemberNumberOf { .. } => (WINDOW, usize::MAX),
        }
    }

    /// How long nothing is heard after the newest of so many failures.
    ///
    /// Five wrong passwords are free; then a minute, doubled by each further one, up to an hour: who has
    /// really forgotten theirs resets it meanwhile, and 25 a day are of no use to who guesses.
    fn pause_after(&self, failures: usize) -> Option<Duration> {
        const FREE: usize = 5;
        const LONGEST: Duration = Duration::from_secs(3600);
        match self {
            Self::Password { .. } => {
                // Six doublings of a minute are beyond the hour.
                let doublings = failures.checked_sub(FREE)?.min(6);
                Some((Duration::from_secs(60) * (1 << doublings)).min(LONGEST))
            }
            Self::MemberNumberBy { .. } | Self::MemberNumberOf { .. } => None,
        }
    }

    /// Where the failures are stored.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Password { email } => Key::new(Table::Identity, format!("EMAIL#{}", email.as_str()), "ATTEMPTS"),
            Self::MemberNumberBy { user_id } => Key::new(Table::Identity, format!("USER#{user_id}"), "CLAIM-ATTEMPTS"),
            Self::MemberNumberOf { siret } => Key::new(Table::Identity, format!("SIRET#{siret}"), "CLAIM-ATTEMPTS"),
        }
    }
}

/// The failures of late, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// What was guessed.
    #[serde(flatten)]
    pub guessed: Guessed,
    /// When guesses failed, in milliseconds, oldest first.
    pub failures: Vec<i64>,
    /// Seconds since 1970 after which this item says nothing any more.
    pub ttl: i64,
}

impl Attempts {
    /// What is stored, or no failures where nothing is.
    #[must_use]
    pub fn or_none(stored: Option<Self>, guessed: Guessed) -> Self {
        stored.unwrap_or(Self { guessed, failures: Vec::new(), ttl: 0 })
    }

    /// How long nothing is heard, where that is so: not even a right guess.
    #[must_use]
    pub fn closed_for(&self, now: Timestamp) -> Option<Duration> {
        let now = now.as_millisecond();
        let recent = self.recent(now);
        // A failure that is counted beside this guess may be stamped a little later than it: where no pause
        // follows it, that closes nothing.
        let pause = self.guessed.pause_after(recent.len()).zip(recent.last());
        let paused = pause.map(|(pause, newest)| newest + milliseconds(pause));
        let oldest = recent.len().checked_sub(self.guessed.most()).and_then(|index| recent.get(index));
        let full = oldest.map(|oldest| oldest + milliseconds(WINDOW));
        let until = paused.max(full)?;
        u64::try_from(until - now).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// The same with a failure at `now`.
    #[must_use]
    pub fn with_failure(&self, now: Timestamp) -> Self {
        let (kept, most) = self.guessed.remembered();
        let mut failures = self.since(now.as_millisecond() - milliseconds(kept)).to_vec();
        // Not always the newest: guesses in parallel are counted in any order.
        let place = failures.partition_point(|at| *at <= now.as_millisecond());
        failures.insert(place, now.as_millisecond());
        let failures = failures.split_off(failures.len().saturating_sub(most));
        Self { guessed: self.guessed.clone(), failures, ttl: (now + kept).as_second() }
    }

    /// How long whoever failed so is to wait for the one guess that is heard of them where everybody else's are not:
    /// a day after their only failure of half a year, and twice as long for each further one, up to 32 days.
    #[must_use]
    pub fn rest_for(&self, now: Timestamp) -> Option<Duration> {
        let now = now.as_millisecond();
        let failures = self.since(now - milliseconds(self.guessed.remembered().0));
        let doublings = failures.len().saturating_sub(1).min(5);
        let until = failures.last()? + milliseconds(DAY) * (1 << doublings);
        u64::try_from(until - now).ok().filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// Nobody has failed, and nothing was forgiven, since this was read.
    ///
    /// # Errors
    /// Where the failures cannot be an attribute.
    pub fn unchanged(&self) -> Result<Condition, StoreError> {
        if self.failures.is_empty() { Ok(Condition::Absent) } else { Condition::is("failures", &self.failures) }
    }

    /// Those that count against the limit.
    fn recent(&self, now: i64) -> &[i64] {
        self.since(now - milliseconds(WINDOW))
    }

    fn since(&self, then: i64) -> &[i64] {
        let before = self.failures.partition_point(|at| *at <= then);
        self.failures.get(before..).unwrap_or_default()
    }
}

impl Record for Attempts {
    fn key(&self) -> Key {
        self.guessed.key()
    }
}

fn milliseconds(duration: Duration) -> i64 {
    // Durations here are constants of at most some weeks.
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn none(guessed: Guessed) -> Attempts {
        Attempts::or_none(None, guessed)
    }

    fn password() -> Attempts {
        none(Guessed::Password { email: Email::parse("a@exemple.fr").unwrap() })
    }

    #[test]
    fn five_wrong_passwords_are_free_and_each_further_one_doubles_the_pause() {
        let (mut attempts, mut now, mut pauses) = (password(), 0, Vec::new());
        for _ in 0..12 {
            let closed = attempts.closed_for(at(now)).map_or(0, |left| left.as_secs());
            pauses.push(closed);
            now += i64::try_from(closed).unwrap();
            assert_eq!(attempts.closed_for(at(now)), None, "it opens when it says so");
            attempts = attempts.with_failure(at(now));
        }
        assert_eq!(pauses, [0, 0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600]);
    }

    #[test]
    fn no_more_than_25_wrong_passwords_fit_into_any_24_hours() {
        let (mut attempts, mut now, mut failures) = (password(), 0, Vec::new());
        while now < 3 * 24 * 3600 {
            match attempts.closed_for(at(now)) {
                Some(left) => now += i64::try_from(left.as_secs()).unwrap().max(1),
                None => {
                    attempts = attempts.with_failure(at(now));
                    failures.push(now);
                }
            }
        }
        let within = |from: i64| failures.iter().filter(|at| (from..from + 24 * 3600).contains(*at)).count();
        assert_eq!(failures.iter().map(|from| within(*from)).max(), Some(25));
        assert!(attempts.failures.len() <= 25, "the item does not grow");
    }

    #[test]
    fn a_failure_stamped_later_than_a_guess_beside_it_closes_nothing() {
        let by = none(Guessed::MemberNumberBy { user_id: Id::from_bytes([1; 16]) });
        for attempts in [by, password()] {
            let attempts = attempts.with_failure(at(9)).with_failure(at(2));
            assert_eq!(attempts.closed_for(at(1)), None);
            assert!(attempts.failures.is_sorted());
        }
    }

    #[test]
    fn each_wrong_number_doubles_the_rest_and_it_is_forgotten_in_the_end() {
        const DAY: i64 = 24 * 3600;
        let mut attempts = none(Guessed::MemberNumberBy { user_id: Id::from_bytes([1; 16]) });
        assert_eq!(attempts.rest_for(at(0)), None);
        let (mut now, mut rests) = (0, Vec::new());
        for _ in 0..12 {
            attempts = attempts.with_failure(at(now));
            let rest = i64::try_from(attempts.rest_for(at(now)).unwrap().as_secs()).unwrap();
            now += rest;
            assert_eq!(attempts.rest_for(at(now)), None, "at its end, not a moment later");
            rests.push(rest / DAY);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 32, 32, 32, 32, 32, 32, 32]);
        assert_eq!(attempts.with_failure(at(now + 180 * DAY)).failures.len(), 1, "the others are forgotten");
        for n in 0..50 {
            attempts = attempts.with_failure(at(now + n));
        }
        assert_eq!(attempts.failures.len(), 10, "the item does not grow");
        assert_eq!(attempts.rest_for(at(now + 49)), Some(Duration::from_secs(32 * 24 * 3600)));
    }

    #[test]
    fn wrong_numbers_close_the_door_for_a_day() {
        let by = Guessed::MemberNumberBy { user_id: Id::from_bytes([1; 16]) };
        let of = Guessed::MemberNumberOf { siret: Siret::parse("53384615000019").unwrap() };
        for (guessed, most) in [(by, 5), (of, 10)] {
            let mut attempts = none(guessed);
            for n in 0..most {
                assert_eq!(attempts.closed_for(at(n)), None);
                attempts = attempts.with_failure(at(n));
            }
            assert_eq!(attempts.closed_for(at(most)), Some(Duration::from_secs(24 * 3600 - most.cast_unsigned())));
            assert_eq!(attempts.closed_for(at(24 * 3600)), None, "the oldest is forgotten");
        }
    }
}

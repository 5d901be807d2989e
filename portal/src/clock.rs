//! The one place that reads the system's clock.
//!
//! Everything else takes `now` as an argument, so that an expiry is tested by moving a clock and
//! never by sleeping. `clippy.toml` bans the system's clock elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The portal's clock: the system's, moved by an offset that its clones share.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_milliseconds: Arc<AtomicI64>,
    stopped_at: Option<Timestamp>,
}

impl Clock {
    /// A clock that agrees with the system's.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn stopped_at(instant: Timestamp) -> Self {
        Self { stopped_at: Some(instant), ..Self::default() }
    }

    /// The present instant, in whole milliseconds (what the store keeps).
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the place that the ban points at")]
    pub fn now(&self) -> Timestamp {
        let moved = self.stopped_at.unwrap_or_else(Timestamp::now).as_millisecond()
            + self.offset_milliseconds.load(Ordering::SeqCst);
        // Out of range only beyond the year 9999: the unmoved end of time is then as good.
        Timestamp::from_millisecond(moved).unwrap_or(Timestamp::MAX)
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Duration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        self.offset_milliseconds.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

/// Measures how long something took; not a clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the place that the ban points at")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

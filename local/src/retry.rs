//! How long a function that failed is left alone before it is handed the same again.

use std::time::Duration;

/// The pause doubles up to here.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pause after so many failures in a row, at least one.
pub(crate) fn pause_after(failures: u32, first: Duration) -> Duration {
    first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

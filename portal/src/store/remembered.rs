//! Answers that are remembered for a day, so that a repeated request gets the first one's.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, Record, StoreError, Table};

/// How long an answer is remembered: longer than any client goes on trying.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The answer to the first request with an idempotency key; written in the transaction of its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// SHA-256 of route, caller and key.
    pub id: String,
    /// SHA-256 of the body that came with it.
    pub fingerprint: String,
    /// What was answered.
    pub outcome: RememberedOutcome,
    /// From when on the key is as good as new. Compared in conditions, as TTL deletes late.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RememberedOutcome {
    /// A success.
    Answered {
        /// The status.
        status: u16,
        /// The body, JSON; none for a 204.
        body: Option<String>,
    },
    /// The route's own refusal, which counted as an attempt.
    Refused,
}

impl Remembered {
    /// An answer given at `now`.
    #[must_use]
    pub fn new(id: String, fingerprint: String, outcome: RememberedOutcome, now: Timestamp) -> Self {
        let expires_at = now + KEPT;
        Self { id, fingerprint, outcome, expires_at, ttl: expires_at.as_second() }
    }

    /// Where the answer to a key is stored.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(Table::Identity, format!("IDEMPOTENCY#{id}"), "ANSWER")
    }

    /// No answer is remembered at `now`.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn none_at(now: Timestamp) -> Result<Condition, StoreError> {
        let past = Condition::below("expires_at", &(now.as_millisecond() + 1))?;
        Ok(Condition::Any(vec![Condition::Absent, past]))
    }
}

impl Record for Remembered {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

//! Faults: entries that are not as a digest has them.

use std::fmt;

use jiff::Timestamp;
use portal::domain::View;
use serde::Serialize;

/// A difference between the ledger and a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// One or more of these entries, at least, are others.
    Altered {
        /// Of this view.
        view: View,
        /// The first that the digest before does not vouch for.
        from: u64,
        /// The last that the digest has.
        to: u64,
        /// The digest.
        digest: Timestamp,
    },
    /// Entries that the digest has are not there.
    Missing {
        /// Of this view.
        view: View,
        /// The first.
        from: u64,
        /// The last.
        to: u64,
        /// The digest.
        digest: Timestamp,
    },
    /// Two entries have one number.
    Twice {
        /// Of this view.
        view: View,
        /// The number.
        number: u64,
        /// The digest.
        digest: Timestamp,
    },
    /// Two digests have as many entries, and not the same.
    Contradicting {
        /// Of this view.
        view: View,
        /// The later digest.
        digest: Timestamp,
    },
    /// An item stands where entries do and says no number.
    Unreadable {
        /// Its sort key.
        item: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = |from: &u64, to: &u64| match from == to {
            true => (format!("entry {from}"), "is"),
            false => (format!("entries {from} to {to}"), "are"),
        };
        match self {
            Self::Altered { view, from, to, digest } => {
                let (entries, are) = entries(from, to);
                write!(formatter, "view {view}: {entries} {are} not what the digest of {digest} has")
            }
            Self::Missing { view, from, to, digest } => {
                let (entries, are) = entries(from, to);
                write!(formatter, "view {view}: {entries} {are} missing, which the digest of {digest} has")
            }
            Self::Twice { view, number, digest } => {
                write!(formatter, "view {view}: entry {number} is there twice, and in the digest of {digest} once")
            }
            Self::Contradicting { view, digest } => {
                write!(formatter, "view {view}: the digest of {digest} has other entries than the one before it")
            }
            Self::Unreadable { item } => write!(formatter, "{item} stands where entries do, and says no number"),
        }
    }
}

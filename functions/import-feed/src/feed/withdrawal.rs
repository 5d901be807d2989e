//! Withdrawals: a record that was sent is taken back.

use portal::domain::Identifier;
use serde::Serialize;

use super::fields::{self, Fields};
use super::{Reason, content_hash};

/// A version of an entry or an action that says that there is none: it is taken back, and nothing replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalRecord {
    /// The key of what is taken back.
    pub source_key: Identifier,
    /// The version of that key which says so.
    pub source_version: u64,
}

/// The content of every withdrawal: its key and version are no content, and there is nothing else.
#[derive(Serialize)]
struct Content {
    record: &'static str,
}

impl WithdrawalRecord {
    pub(super) fn from_fields(fields: &Fields<'_>, source_key: Identifier) -> Result<Self, Reason> {
        Ok(Self { source_key, source_version: fields.required("source_version", fields::version)? })
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(&Content { record: "withdrawal" })
    }
}

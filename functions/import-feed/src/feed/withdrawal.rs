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
    /// The mistyped version that is taken back, which is higher.
    pub takes_back: Option<u64>,
}

/// The content of a withdrawal: its key and version are none, and most have nothing else.
#[derive(Serialize)]
struct Content {
    record: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes_back: Option<u64>,
}

impl WithdrawalRecord {
    pub(super) fn from_fields(fields: &Fields<'_>, source_key: Identifier) -> Result<Self, Reason> {
        let source_version = fields.required("source_version", fields::version)?;
        let takes_back = fields.if_there("takes_back", fields::version)?;
        if takes_back.is_some_and(|version| version <= source_version) {
            return Err(Reason::in_field("bad-version", "takes_back"));
        }
        Ok(Self { source_key, source_version, takes_back })
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(&Content { record: "withdrawal", takes_back: self.takes_back })
    }
}

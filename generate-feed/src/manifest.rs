//! The manifest that completes a batch.

use serde::{Deserialize, Serialize};

/// `manifest.json`: what a batch consists of, for the import to check before it posts anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the batch.
    pub batch_id: String,
    /// The system that the source keys belong to.
    pub source: String,
    /// When the batch was made, UTC.
    pub created_at: String,
    /// The files of the batch, members first.
    pub files: Vec<FileEntry>,
}

/// One file of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Name beside the manifest.
    pub name: String,
    /// How many lines it has.
    pub lines: u64,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// The sum of the amounts of all its entries, as they stand; only for a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_cents: Option<i64>,
}

impl Manifest {
    /// The manifest as it is stored: indented, for people read it, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[allow(clippy::expect_used, reason = "strings and integers always serialise")]
        let mut json = serde_json::to_string_pretty(self).expect("a manifest serialises");
        json.push('\n');
        json
    }
}

//! What the back office sends: a manifest, and files of one record a line.

mod balance;
mod fields;
mod ledger;
mod lines;
mod manifest;
mod member;
mod object;
#[cfg(test)]
mod odd;
mod withdrawal;

pub use balance::{BalanceRecord, LedgerLine};
pub use fields::{Reason, Unreadable};
pub use ledger::{ActionRecord, EntryRecord, LedgerRecord, amount_of};
pub use lines::{Line, Lines, TooLong};
pub use manifest::{FileKind, ListedFile, Manifest};
pub use member::MemberRecord;
pub use withdrawal::WithdrawalRecord;

use aws_lc_rs::digest::{SHA256, digest};
use portal::domain::{Identifier, to_hex};
use serde::Serialize;

/// A line that cannot be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// The key of its record, where that could be read.
    pub source_key: Option<Identifier>,
}

/// SHA-256 of what a record says, whatever its spacing and the order of its fields.
///
/// A field added to a record later must be left out where it is absent, or what was posted before would
/// look changed.
fn content_hash(content: &impl Serialize) -> String {
    // Records hold texts, numbers and dates only; these always have a JSON form.
    let canonical = serde_json::to_vec(content).unwrap_or_default();
    to_hex(digest(&SHA256, &canonical).as_ref())
}

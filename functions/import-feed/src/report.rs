//! What became of a batch.

use std::collections::BTreeMap;

use portal::domain::{Cents, Identifier};
use serde::Serialize;

use crate::feed::{Manifest, Rejected};
use crate::posting::Verdict;

/// How many quarantined lines a report names; all are counted.
const MOST_NAMED: usize = 1_000;

/// Why a batch is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// `manifest`, `missing-file`, `line-count`, `amount-sum`, `sha256`.
    pub reason: &'static str,
    /// In words for the back office.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// A line that was not posted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Quarantined {
    /// Which of the batch's files, in the order of posting.
    #[serde(skip)]
    pub file_index: usize,
    /// The file.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: &'static str,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// The key of its record, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key: Option<Identifier>,
}

/// The control totals: every line and every cent of the batch is in one of the outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ControlTotals {
    /// Lines of all files.
    pub lines: u64,
    /// The manifest's sum over all files.
    pub amount_cents: i64,
    /// What entries were posted, corrections included, in this run.
    pub posted_cents: i64,
    /// What entries were posted before.
    pub unchanged_cents: i64,
    /// What waits for its action.
    pub pending_cents: i64,
}

/// What became of a batch: the function's answer, and `report.json` beside the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The batch; nothing where its manifest cannot be read.
    pub batch_id: Option<Identifier>,
    /// The system that sent it.
    pub source: Option<Identifier>,
    /// Why nothing was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// New records.
    pub posted: u64,
    /// Records posted before.
    pub unchanged: u64,
    /// Records in place of an older version.
    pub corrected: u64,
    /// Records of which a newer version was there.
    pub stale: u64,
    /// Lines that could not be posted.
    pub quarantined: u64,
    /// Entries that wait for their action.
    pub pending: u64,
    /// Entries of earlier batches whose action came with this one.
    pub released: u64,
    /// Lines that were quarantined or stale, by reason.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// The control totals.
    pub totals: ControlTotals,
    /// The first quarantined lines.
    pub quarantine: Vec<Quarantined>,
}

impl Report {
    /// A report of nothing yet.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            batch_id: Some(manifest.batch_id.clone()),
            source: Some(manifest.source.clone()),
            totals: ControlTotals {
                lines: manifest.files.iter().map(|file| file.lines).sum(),
                amount_cents: manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.amount_cents)),
                ..ControlTotals::default()
            },
            ..Self::default()
        }
    }

    /// A report of a batch that is refused whole.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Self {
        Self { refused: Some(refusal), ..self }
    }

    /// Counts a record.
    pub fn count(&mut self, line: &Origin, verdict: Verdict) {
        let totals = &mut self.totals;
        match verdict {
            Verdict::Posted => {
                self.posted += 1;
                totals.posted_cents = totals.posted_cents.saturating_add(line.amount.0);
            }
            Verdict::Corrected => {
                self.corrected += 1;
                totals.posted_cents = totals.posted_cents.saturating_add(line.amount.0);
            }
            Verdict::Unchanged => {
                self.unchanged += 1;
                totals.unchanged_cents = totals.unchanged_cents.saturating_add(line.amount.0);
            }
            Verdict::Pending => {
                self.pending += 1;
                totals.pending_cents = totals.pending_cents.saturating_add(line.amount.0);
            }
            Verdict::Stale => {
                self.stale += 1;
                *self.by_reason.entry("stale-version").or_default() += 1;
            }
            Verdict::Quarantined(reason) => {
                self.quarantine(line, &Rejected { reason, source_key: line.source_key.clone() });
            }
        }
    }

    /// Counts an entry that waited and is posted now.
    pub fn release(&mut self, batch_id: &Identifier, amount: Cents, verdict: Verdict) {
        if !matches!(verdict, Verdict::Posted | Verdict::Corrected) {
            return;
        }
        if self.batch_id.as_ref() != Some(batch_id) || self.pending == 0 {
            self.released += 1;
            return;
        }
        self.pending -= 1;
        self.totals.pending_cents = self.totals.pending_cents.saturating_sub(amount.0);
        self.totals.posted_cents = self.totals.posted_cents.saturating_add(amount.0);
        if verdict == Verdict::Posted { self.posted += 1 } else { self.corrected += 1 }
    }

    /// Counts a line that cannot be posted.
    pub fn quarantine(&mut self, line: &Origin, rejected: &Rejected) {
        self.quarantined += 1;
        *self.by_reason.entry(rejected.reason.code).or_default() += 1;
        self.quarantine.push(Quarantined {
            file_index: line.file_index,
            file: line.file.clone(),
            line: line.line,
            reason: rejected.reason.code,
            field: rejected.reason.field,
            source_key: rejected.source_key.clone(),
        });
    }

    /// Sorts the named lines and keeps the first. Called once a window, so that memory stays the same
    /// however many there are: the windows of a file come in order.
    pub fn trim(&mut self) {
        self.quarantine.sort();
        self.quarantine.truncate(MOST_NAMED);
    }
}

/// Where a record came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Which of the batch's files.
    pub file_index: usize,
    /// The file's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The record's key.
    pub source_key: Option<Identifier>,
    /// What it counts in the control totals.
    pub amount: Cents,
}

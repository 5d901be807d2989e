//! What became of a batch.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use portal::domain::{Cents, Identifier};
use portal::store::ActionPlace;
use serde::{Deserialize, Serialize};

use crate::awaited::Awaited;
use crate::balances::Balances;
use crate::feed::{LedgerRecord, Line, Manifest, Reason, Rejected, Unreadable, amount_of};
use crate::post::{Decided, REFUSED_BY_STORE, Released};
use crate::posting::Verdict;
use crate::sequence::Sequence;
use crate::warning::{Particulars, Warned, Warning};

/// How many quarantined lines, and how many ignored fields, a report names; all are counted.
const MOST_NAMED: usize = 1_000;

/// A field that cannot be read is no reason to lose its record.
const IGNORED_FIELD: &str = "ignored-field";

/// Why a batch is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `manifest`, `doubled-field`, `lone-surrogate`, `unknown-source`, `missing-file`, `line-count`, `amount-sum`, `sha256`,
    /// `batch-id-used`, `sequence-used`.
    pub reason: Cow<'static, str>,
    /// In words for the back office.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason: reason.into(), detail: detail.into() }
    }
}

/// A line that was not posted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Quarantined {
    /// Which of the batch's files, in the order of posting.
    #[serde(skip)]
    pub file_index: usize,
    /// The file.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: Cow<'static, str>,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// The key of its record, where that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key: Option<Identifier>,
    /// The batch, where the line came with an earlier one and cannot be posted now that its member is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Identifier>,
}

/// An optional field that could not be read, or not be kept: its record is posted without it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IgnoredField {
    /// Which of the batch's files, in the order of posting.
    #[serde(skip)]
    pub file_index: usize,
    /// The file.
    pub file: String,
    /// The line of the record, counted from 1.
    pub line: u64,
    /// `ignored-field`, as `by_reason` counts it.
    pub reason: Cow<'static, str>,
    /// The field.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub cause: Cow<'static, str>,
    /// The key of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key: Option<Identifier>,
    /// The batch, where the line came with an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Identifier>,
}

/// A record that looks mistaken; it was posted as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WarnedLine {
    /// Which of the batch's files, in the order of posting.
    #[serde(skip)]
    pub file_index: usize,
    /// The file.
    pub file: String,
    /// The line of the record, counted from 1.
    pub line: u64,
    /// The kind of warning.
    pub warning: Cow<'static, str>,
    /// The key of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key: Option<Identifier>,
    /// The figures that were sent, and those that they are held against.
    #[serde(flatten)]
    pub figures: Particulars,
    /// The batch, where the line came with an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<Identifier>,
}

/// A line that is warned of if its action is still like that at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubted {
    pub(crate) place: ActionPlace,
    pub(crate) warning: Warning,
    pub(crate) line: WarnedLine,
}

impl WarnedLine {
    fn of(line: &Origin, Warned { warning, figures, .. }: &Warned, batch_id: Option<Identifier>) -> Self {
        Self {
            file_index: line.file_index,
            file: line.file.clone(),
            line: line.line,
            warning: warning.code().into(),
            source_key: line.source_key.clone(),
            figures: figures.clone(),
            batch_id,
        }
    }
}

/// The control totals: every line and every cent of the batch is in one of the outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotals {
    /// Lines of all files.
    pub lines: u64,
    /// The manifest's sum over all files.
    pub amount_cents: i64,
    /// What entries were posted, corrections included, in this run.
    pub posted_cents: i64,
    /// What entries were posted before.
    pub unchanged_cents: i64,
    /// What waits for its member or its action.
    pub pending_cents: i64,
    /// What a newer version had replaced before.
    pub stale_cents: i64,
    /// What stands in lines that were put aside.
    pub quarantined_cents: i64,
}

/// What became of a batch: the function's answer, and `report.json` beside the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The batch; nothing where its manifest cannot be read.
    pub batch_id: Option<Identifier>,
    /// The system that sent it.
    pub source: Option<Identifier>,
    /// Why nothing was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// New records.
    pub posted: u64,
    /// Records posted before.
    pub unchanged: u64,
    /// Records in place of an older version.
    pub corrected: u64,
    /// Records that took back what was in force or waited.
    #[serde(default, skip_serializing_if = "is_none")]
    pub withdrawn: u64,
    /// Records of which a newer version was there.
    pub stale: u64,
    /// Lines that could not be posted.
    pub quarantined: u64,
    /// Records that wait for their member or their action.
    pub pending: u64,
    /// Records of earlier batches whose member or action came with this one.
    pub released: u64,
    /// The members that records wait for, of this and of earlier batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Awaited>,
    /// Where the batch stands among those of its source; nothing where these have no numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// How the batch's balances compare with the ledger; nothing where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balances: Option<Balances>,
    /// Lines that were quarantined or stale, and fields that were ignored, by reason.
    pub by_reason: BTreeMap<Cow<'static, str>, u64>,
    /// The control totals.
    pub totals: ControlTotals,
    /// The first quarantined lines.
    pub quarantine: Vec<Quarantined>,
    /// The first fields that were ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<IgnoredField>,
    /// How many records look mistaken, by kind of warning; they are posted as they were sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub warnings: BTreeMap<Cow<'static, str>, u64>,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<WarnedLine>,
    /// The warnings that may not hold any more when all of the batch is posted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) doubted: Vec<Doubted>,
    /// What was counted as pending, to be counted anew when it is released or replaced.
    #[serde(skip)]
    waiting: HashMap<Identifier, Waiting>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Lines that hold one version of an entry that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Waiting {
    version: u64,
    lines: u64,
    cents: i64,
    /// The warnings that hold as long as it waits.
    warned: Vec<WarnedLine>,
}

impl Report {
    /// A report of nothing yet.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            batch_id: Some(manifest.batch_id.clone()),
            source: Some(manifest.source.clone()),
            totals: ControlTotals {
                lines: manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.lines)),
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

    /// The count of records that the store would not hold.
    #[must_use]
    pub fn refused_records(&self) -> u64 {
        self.by_reason.get(REFUSED_BY_STORE.code).copied().unwrap_or_default()
    }

    /// Counts a record, and the field of it that could not be kept.
    pub(crate) fn decide(&mut self, line: &Origin, decided: &Decided) {
        self.count(line, decided.verdict);
        let Some(waiting) = line.source_key.as_ref().and_then(|key| self.waiting.get_mut(key)) else {
            return self.name(line, decided);
        };
        if decided.verdict != Verdict::Pending {
            return self.name(line, decided);
        }
        // Its action may come with a later line of the batch.
        waiting.warned.extend(decided.of_waiting().map(|warned| WarnedLine::of(line, warned, None)));
        self.name(line, &decided.but_of_waiting());
    }

    /// Names what looks mistaken of the lines that wait when all are posted.
    pub(crate) fn name_waiting(&mut self) {
        let warned: Vec<_> =
            self.waiting.values_mut().flat_map(|waiting| std::mem::take(&mut waiting.warned)).collect();
        warned.into_iter().for_each(|line| self.warn_of(line));
    }

    /// Names the field of a record that could not be kept, and what looks mistaken of it.
    pub(crate) fn name(&mut self, line: &Origin, decided: &Decided) {
        if let Some(reason) = decided.ignored {
            self.ignore_one(line, reason);
        }
        decided.warnings.iter().for_each(|warned| self.warn(line, warned, None));
    }

    fn warn(&mut self, line: &Origin, warned: &Warned, batch_id: Option<Identifier>) {
        if let Some(place) = &warned.doubted {
            let line = WarnedLine::of(line, warned, batch_id);
            return self.doubted.push(Doubted { place: place.clone(), warning: warned.warning, line });
        }
        self.warn_of(WarnedLine::of(line, warned, batch_id));
    }

    /// Names a line that is warned of.
    pub(crate) fn warn_of(&mut self, line: WarnedLine) {
        *self.warnings.entry(line.warning.clone()).or_default() += 1;
        self.warned.push(line);
        if self.warned.len() >= 2 * MOST_NAMED {
            self.trim();
        }
    }

    /// Counts a record.
    pub fn count(&mut self, line: &Origin, verdict: Verdict) {
        if matches!(verdict, Verdict::Posted | Verdict::Corrected | Verdict::Withdrawn | Verdict::Pending) {
            self.replace(line, verdict);
        }
        if verdict == Verdict::Pending
            && let Some(key) = &line.source_key
        {
            let waiting = self.waiting.entry(key.clone()).or_default();
            waiting.version = line.source_version;
            waiting.lines += 1;
            waiting.cents = line.amount.0;
        }
        self.add_up(line, verdict);
    }

    /// Counts a record for good.
    pub(crate) fn tally(&mut self, line: &Origin, decided: &Decided) {
        self.name(line, decided);
        self.add_up(line, decided.verdict);
    }

    fn add_up(&mut self, line: &Origin, verdict: Verdict) {
        let (lines, cents) = match verdict {
            Verdict::Posted => (&mut self.posted, &mut self.totals.posted_cents),
            Verdict::Corrected => (&mut self.corrected, &mut self.totals.posted_cents),
            Verdict::Withdrawn => (&mut self.withdrawn, &mut self.totals.posted_cents),
            Verdict::Unchanged => (&mut self.unchanged, &mut self.totals.unchanged_cents),
            Verdict::Pending => (&mut self.pending, &mut self.totals.pending_cents),
            Verdict::Stale => {
                *self.by_reason.entry("stale-version".into()).or_default() += 1;
                (&mut self.stale, &mut self.totals.stale_cents)
            }
            Verdict::Quarantined(reason) => {
                return self.quarantine(line, &Rejected { reason, source_key: line.source_key.clone() });
            }
        };
        *lines += 1;
        *cents = cents.saturating_add(line.amount.0);
    }

    /// A version that waited and is replaced by a newer one of this batch is stale.
    fn replace(&mut self, line: &Origin, verdict: Verdict) {
        let older = |waiting: &Waiting| verdict == Verdict::Withdrawn || waiting.version < line.source_version;
        let Some(key) = line.source_key.as_ref().filter(|key| self.waiting.get(*key).is_some_and(older)) else {
            return;
        };
        let cents = self.no_longer_pending(key, |report, lines| {
            report.stale += lines;
            *report.by_reason.entry("stale-version".into()).or_default() += lines;
        });
        self.totals.stale_cents = self.totals.stale_cents.saturating_add(cents);
    }

    /// Takes the lines of an entry out of the pending ones; gives their cents.
    fn no_longer_pending(&mut self, key: &Identifier, count: impl FnOnce(&mut Self, u64)) -> i64 {
        let Waiting { lines, cents, .. } = self.waiting.remove(key).unwrap_or_default();
        let cents = cents.saturating_mul(i64::try_from(lines).unwrap_or(i64::MAX));
        self.pending = self.pending.saturating_sub(lines);
        self.totals.pending_cents = self.totals.pending_cents.saturating_sub(cents);
        count(self, lines);
        cents
    }

    /// Counts a record that waited and is posted now, or cannot be.
    pub(crate) fn release(&mut self, released: &Released) {
        let key = &released.source_key;
        let is_of_this_batch = self.waiting.get(key).is_some_and(|waiting| waiting.version == released.source_version);
        self.name_released(released);
        match released.decided.verdict {
            Verdict::Posted | Verdict::Corrected if !is_of_this_batch => self.released += 1,
            Verdict::Posted | Verdict::Corrected => {
                let amount = released.amount.0;
                let cents = self.no_longer_pending(key, |report, lines| {
                    // One line posted it, the others were repeats of that one.
                    report.unchanged += lines.saturating_sub(1);
                    let is_new = released.decided.verdict == Verdict::Posted;
                    if is_new { report.posted += 1 } else { report.corrected += 1 }
                });
                self.totals.posted_cents = self.totals.posted_cents.saturating_add(amount);
                let repeated = cents.saturating_sub(amount);
                self.totals.unchanged_cents = self.totals.unchanged_cents.saturating_add(repeated);
            }
            Verdict::Quarantined(_) if is_of_this_batch => {
                let cents = self.no_longer_pending(key, |report, lines| report.quarantined += lines);
                self.totals.quarantined_cents = self.totals.quarantined_cents.saturating_add(cents);
            }
            // A withdrawal waits for nothing.
            Verdict::Quarantined(_) | Verdict::Unchanged | Verdict::Pending | Verdict::Stale | Verdict::Withdrawn => {}
        }
    }

    /// Names what is wrong with a record that waited, and that an earlier batch brought, as a rule.
    pub(crate) fn name_released(&mut self, released: &Released) {
        let (file, line) = released.line.clone().unwrap_or_default();
        let origin = Origin { line, source_key: Some(released.source_key.clone()), ..Origin::of(0, &file) };
        let batch_id = || Some(released.batch_id.clone());
        if let Some(reason) = released.decided.ignored {
            self.ignore_of(&origin, reason, batch_id());
        }
        released.decided.warnings.iter().for_each(|warned| self.warn(&origin, warned, batch_id()));
        if let Verdict::Quarantined(reason) = released.decided.verdict {
            *self.by_reason.entry(reason.code.into()).or_default() += 1;
            self.quarantine.push(Quarantined {
                file_index: 0,
                file,
                line,
                reason: reason.code.into(),
                field: reason.field.map(Cow::Borrowed),
                source_key: Some(released.source_key.clone()),
                batch_id: batch_id(),
            });
        }
    }

    /// Counts a line that cannot be posted.
    pub fn quarantine(&mut self, line: &Origin, rejected: &Rejected) {
        self.quarantined += 1;
        self.totals.quarantined_cents = self.totals.quarantined_cents.saturating_add(line.amount.0);
        *self.by_reason.entry(rejected.reason.code.into()).or_default() += 1;
        self.quarantine.push(Quarantined {
            file_index: line.file_index,
            file: line.file.clone(),
            line: line.line,
            reason: rejected.reason.code.into(),
            field: rejected.reason.field.map(Cow::Borrowed),
            source_key: rejected.source_key.clone(),
            batch_id: None,
        });
        if self.quarantine.len() >= 2 * MOST_NAMED {
            self.trim();
        }
    }

    /// Counts the fields of a record that cannot be read.
    pub fn ignore(&mut self, line: &Origin, unreadable: &Unreadable) {
        unreadable.reasons().for_each(|reason| self.ignore_one(line, reason));
    }

    /// Counts a field that is ignored.
    fn ignore_one(&mut self, line: &Origin, reason: Reason) {
        self.ignore_of(line, reason, None);
    }

    fn ignore_of(&mut self, line: &Origin, reason: Reason, batch_id: Option<Identifier>) {
        *self.by_reason.entry(IGNORED_FIELD.into()).or_default() += 1;
        self.ignored.push(IgnoredField {
            file_index: line.file_index,
            file: line.file.clone(),
            line: line.line,
            reason: IGNORED_FIELD.into(),
            field: reason.field.unwrap_or_default().into(),
            cause: reason.code.into(),
            source_key: line.source_key.clone(),
            batch_id,
        });
        if self.ignored.len() >= 2 * MOST_NAMED {
            self.trim();
        }
    }

    /// Takes over what another piece of the batch came to.
    pub fn add(&mut self, other: Self) {
        let pairs = [
            (&mut self.posted, other.posted),
            (&mut self.unchanged, other.unchanged),
            (&mut self.corrected, other.corrected),
            (&mut self.withdrawn, other.withdrawn),
            (&mut self.stale, other.stale),
            (&mut self.quarantined, other.quarantined),
            (&mut self.pending, other.pending),
            (&mut self.released, other.released),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
        for (reason, lines) in other.by_reason {
            *self.by_reason.entry(reason).or_default() += lines;
        }
        let ControlTotals { posted_cents, unchanged_cents, pending_cents, stale_cents, quarantined_cents, .. } =
            other.totals;
        let totals = &mut self.totals;
        let pairs = [
            (&mut totals.posted_cents, posted_cents),
            (&mut totals.unchanged_cents, unchanged_cents),
            (&mut totals.pending_cents, pending_cents),
            (&mut totals.stale_cents, stale_cents),
            (&mut totals.quarantined_cents, quarantined_cents),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.quarantine.extend(other.quarantine);
        self.ignored.extend(other.ignored);
        for (warning, records) in other.warnings {
            *self.warnings.entry(warning).or_default() += records;
        }
        self.warned.extend(other.warned);
        self.doubted.extend(other.doubted);
        if let Some(balances) = other.balances {
            self.balances.get_or_insert_default().add(balances);
        }
        self.trim();
    }

    /// Gives the named lines the places of their files, which a stored report does not have.
    #[must_use]
    pub fn in_order_of(mut self, manifest: &Manifest) -> Self {
        let index = |name: &str| manifest.files.iter().position(|file| file.name == name).unwrap_or_default();
        self.quarantine.iter_mut().for_each(|named| named.file_index = index(&named.file));
        self.ignored.iter_mut().for_each(|named| named.file_index = index(&named.file));
        self.warned.iter_mut().for_each(|named| named.file_index = index(&named.file));
        let differences = self.balances.iter_mut().flat_map(|balances| &mut balances.differences);
        differences.for_each(|named| named.file_index = index(&named.file));
        self
    }

    /// Sorts the named lines and keeps the first, so that memory stays the same however many there are.
    pub fn trim(&mut self) {
        self.quarantine.sort();
        self.quarantine.truncate(MOST_NAMED);
        self.ignored.sort();
        self.ignored.truncate(MOST_NAMED);
        self.warned.sort();
        self.warned.truncate(MOST_NAMED);
        if let Some(balances) = &mut self.balances {
            balances.differences.sort();
            balances.differences.truncate(MOST_NAMED);
        }
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
    /// Its version.
    pub source_version: u64,
    /// What it counts in the control totals.
    pub amount: Cents,
}

impl Origin {
    /// A file, before any of its lines.
    #[must_use]
    pub fn of(file_index: usize, file: &str) -> Self {
        Self { file_index, file: file.to_owned(), line: 0, source_key: None, source_version: 0, amount: Cents::ZERO }
    }

    /// A file of a batch, before any of its lines.
    #[must_use]
    pub fn in_batch(manifest: &Manifest, file_index: usize) -> Self {
        Self::of(file_index, manifest.files.get(file_index).map_or("", |file| file.name.as_str()))
    }

    /// A balance of this file, with where it came from. An amount that it should not have is in the manifest's sum all
    /// the same, and changes nothing.
    #[must_use]
    pub(crate) fn of_balance(&self, line: &Line<'_>, report: &mut Report) -> Self {
        let unchanged = &mut report.totals.unchanged_cents;
        *unchanged = unchanged.saturating_add(amount_of(line));
        Self { line: line.number, ..self.clone() }
    }

    /// A record of this file, with where it came from.
    #[must_use]
    pub fn of_record(&self, line: &Line<'_>, record: LedgerRecord) -> (LedgerRecord, Self) {
        let amount = match &record {
            LedgerRecord::Entry(entry) => entry.facts.amount,
            // An amount that it should not have is in the manifest's sum all the same.
            LedgerRecord::Action(_) | LedgerRecord::Withdrawal(_) => Cents(amount_of(line)),
        };
        let origin = Self {
            line: line.number,
            source_key: Some(record.source_key().clone()),
            source_version: record.source_version(),
            amount,
            ..self.clone()
        };
        (record, origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_of_bad_lines_the_first_thousand_are_named_and_no_more_are_kept() {
        let mut report = Report::default();
        let rejected = Rejected { reason: Reason::of("blank-line"), source_key: None };
        for line in (1..=10_000).rev() {
            report.quarantine(&Origin { line, ..Origin::of(0, "ledger.ndjson") }, &rejected);
            assert!(report.quarantine.len() < 2 * MOST_NAMED);
        }
        report.trim();
        let lines: Vec<u64> = report.quarantine.iter().map(|named| named.line).collect();
        assert!(lines.into_iter().eq(1..=1_000));
        assert_eq!((report.quarantined, report.by_reason["blank-line"]), (10_000, 10_000));
    }

    #[test]
    fn no_manifest_makes_it_overflow() {
        let file =
            r#"{"name":"ledger.ndjson","lines":18446744073709551615,"sha256":"","amount_cents":9223372036854775807}"#;
        let manifest =
            format!(r#"{{"batch_id":"b","source":"erp","created_at":"2012-10-15T02:00:00Z","files":[{file},{file}]}}"#);
        let totals = Report::of(&serde_json::from_str(&manifest).unwrap()).totals;
        assert_eq!((totals.lines, totals.amount_cents), (u64::MAX, i64::MAX));
    }
}

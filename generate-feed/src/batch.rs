//! A batch while it is written: its two files, and what its import must report.

use std::io::{self, Write};

use crate::SOURCE;
use crate::expected::{Days, ExpectedReport, Outcome};
use crate::feed_file::FeedFile;
use crate::manifest::Manifest;
use crate::records::{LedgerRecord, MemberRecord};
use crate::{LEDGER_FILE, MEMBERS_FILE};

/// A batch under way.
pub(crate) struct Batch<M, L> {
    pub days: Days,
    members: FeedFile<M>,
    ledger: FeedFile<L>,
    report: ExpectedReport,
}

/// A record of the ledger, with what its import must come to.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub record: LedgerRecord,
    pub outcome: Outcome,
    /// A newer version is sent with it.
    pub replaced: bool,
}

/// A line that cannot be posted.
#[derive(Debug)]
pub(crate) struct BadLine {
    /// Without its line end.
    pub bytes: Vec<u8>,
    pub reason: &'static str,
    /// What it counts in the control totals.
    pub cents: i64,
}

impl<M: Write, L: Write> Batch<M, L> {
    pub(crate) fn new(batch_id: String, days: Days, members: M, ledger: L) -> Self {
        let report = ExpectedReport { batch_id, source: SOURCE.to_owned(), ..ExpectedReport::default() };
        Self { days, members: FeedFile::new(members), ledger: FeedFile::new(ledger), report }
    }

    pub(crate) fn member(&mut self, record: &MemberRecord, outcome: Outcome) -> io::Result<()> {
        self.report.count(outcome, 0);
        self.members.record(record, 0)
    }

    pub(crate) fn bad_member(&mut self, line: &BadLine) -> io::Result<()> {
        self.report.count(Outcome::Quarantined(line.reason), 0);
        self.members.line(&line.bytes, 0)
    }

    pub(crate) fn send(&mut self, sent: &Sent) -> io::Result<()> {
        let cents = match &sent.record {
            LedgerRecord::Action(_) => 0,
            LedgerRecord::Entry(entry) => entry.amount_cents,
        };
        self.report.count(sent.outcome, cents);
        self.ledger.record(&sent.record, cents)
    }

    pub(crate) fn bad(&mut self, line: &BadLine) -> io::Result<()> {
        self.report.count(Outcome::Quarantined(line.reason), line.cents);
        self.ledger.line(&line.bytes, line.cents)
    }

    pub(crate) fn finish(self) -> io::Result<(Manifest, ExpectedReport)> {
        let members = self.members.finish()?.into_entry(MEMBERS_FILE, false);
        let ledger = self.ledger.finish()?.into_entry(LEDGER_FILE, true);
        let manifest = Manifest {
            batch_id: self.report.batch_id.clone(),
            source: self.report.source.clone(),
            // When such a batch would have been sent: in the second night after its last day, which ends a
            // year. Not taken from a clock, for the bytes must not change from run to run.
            created_at: format!("{}-01-02T02:00:00Z", self.days.last.year() + 1),
            files: vec![members, ledger],
        };
        Ok((manifest, self.report))
    }
}

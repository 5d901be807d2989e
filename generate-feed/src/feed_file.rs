//! A file of a batch while it is written: each line is counted, summed and hashed as it passes.

use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::manifest::FileEntry;

/// An NDJSON file under way.
pub(crate) struct FeedFile<W> {
    out: W,
    line: Vec<u8>,
    hash: Context,
    lines: u64,
    amount_cents: i64,
}

/// What the manifest says of a finished file.
pub(crate) struct Finished {
    lines: u64,
    sha256: String,
    amount_cents: i64,
}

impl<W: Write> FeedFile<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, line: Vec::with_capacity(512), hash: Context::new(&SHA256), lines: 0, amount_cents: 0 }
    }

    /// Writes a record that counts `cents` in the sum of the amounts.
    pub(crate) fn record(&mut self, record: &impl Serialize, cents: i64) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record)?;
        self.line.push(b'\n');
        self.count(cents);
        self.hash.update(&self.line);
        self.out.write_all(&self.line)
    }

    /// Writes a line as it is, however long, without a copy.
    pub(crate) fn line(&mut self, bytes: &[u8], cents: i64) -> io::Result<()> {
        self.count(cents);
        for part in [bytes, b"\n"] {
            self.hash.update(part);
            self.out.write_all(part)?;
        }
        Ok(())
    }

    fn count(&mut self, cents: i64) {
        // No overflow within reason: lines stay below 10^13 cents, and 64 bits hold the sum of nine
        // hundred thousand such; of real entries, nine billion.
        self.amount_cents = self.amount_cents.saturating_add(cents);
        self.lines += 1;
    }

    pub(crate) fn finish(mut self) -> io::Result<Finished> {
        self.out.flush()?;
        let sha256 = self.hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Finished { lines: self.lines, sha256, amount_cents: self.amount_cents })
    }
}

impl Finished {
    pub(crate) fn into_entry(self, name: &str, with_amount: bool) -> FileEntry {
        FileEntry {
            name: name.to_owned(),
            lines: self.lines,
            sha256: self.sha256,
            amount_cents: with_amount.then_some(self.amount_cents),
        }
    }
}

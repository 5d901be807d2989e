//! Cuts a large batch into shards by account, in constant memory.
//!
//! A shard is a row of part objects, some of them small: what is in memory is bounded over all shards, and
//! whichever is the largest is written out first. A line stands there as `<file> <line> <the line itself>`.

use aws_lc_rs::digest::{SHA256, digest};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use portal::domain::{Cents, MemberNumber};

use crate::bucket::{Bucket, BucketError, Object};
use crate::feed::{FileKind, LedgerLine, Line, Manifest, MemberRecord, amount_of};
use crate::pieces::Pieces;
use crate::plan::{MEMBERS, Run, Shard};
use crate::report::{Origin, Report};
use crate::{Bounds, ImportError};

/// How many parts are on their way to the bucket at once.
const WRITES_AT_ONCE: usize = 4;

/// Fewer shards would leave workers idle while the largest is posted.
const FEWEST_SHARDS: u64 = 16;

/// Each has its part of the memory bound, so with more of them parts become small; it is also more than ever
/// work at once.
const MOST_SHARDS: u64 = 64;

/// Lines of one shard, some minutes of work, as long as there are no more than [`MOST_SHARDS`].
const SHARD_LINES: u64 = 50_000;

/// What a batch was cut into.
pub(crate) struct Split {
    pub shards: Vec<Shard>,
    /// The report with the lines that are no records.
    pub report: Report,
}

/// Cuts the files of a batch, or those of its `ledger_alone` where its members are posted. The same batch gives the
/// same objects, so it may be done again.
///
/// # Errors
/// Where one of the buckets fails.
pub(crate) async fn split(
    (feed, work): (&Bucket, &Bucket),
    bounds: &Bounds,
    run: &Run,
    manifest: &Manifest,
    objects: &[Object],
    mut report: Report,
    ledger_alone: bool,
) -> Result<Split, ImportError> {
    let last_day = manifest.last_day();
    let ledger = manifest.files.iter().filter(|file| file.kind() == Some(FileKind::Ledger));
    let lines: u64 = ledger.map(|file| file.lines).sum();
    let count = lines.div_ceil(SHARD_LINES).clamp(FEWEST_SHARDS, MOST_SHARDS);
    let mut shards = Shards::new(run, u32::try_from(count).unwrap_or(1), bounds);
    let mut writes: FuturesUnordered<BoxFuture<'_, Result<(), BucketError>>> = FuturesUnordered::new();
    for (file_index, (file, object)) in manifest.files.iter().zip(objects).enumerate() {
        let origin = Origin::of(file_index, &file.name);
        let members = file.kind() == Some(FileKind::Members);
        if members && ledger_alone {
            continue;
        }
        let mut pieces = Pieces::of(feed, object);
        while let Some(piece) = pieces.next().await? {
            piece.cut(|line| {
                let origin = Origin { line: line.number, ..origin.clone() };
                let read = if members {
                    MemberRecord::read_by(line, last_day).map(|record| {
                        report.ignore(&Origin { source_key: Some(record.key()), ..origin.clone() }, &record.unreadable);
                        MEMBERS
                    })
                } else {
                    LedgerLine::read_by(line, last_day).map(|line| match line {
                        LedgerLine::Balance(_) => shards.balances(),
                        LedgerLine::Record(record) => {
                            let source_key = Some(record.source_key().clone());
                            report.ignore(&Origin { source_key, ..origin.clone() }, record.unreadable());
                            record.member_number().map_or(shards.withdrawals(), |number| shards.of(number))
                        }
                    })
                };
                match (read, line.content) {
                    (Ok(shard), Ok(content)) => shards.add(shard, file_index, line.number, content),
                    (Err(rejected), _) => {
                        let amount = if members { Cents::ZERO } else { Cents(amount_of(line)) };
                        report.quarantine(&Origin { amount, ..origin }, &rejected);
                    }
                    // Only a line that is too long has no content, and that is rejected.
                    (Ok(_), Err(_)) => {}
                }
            });
            for (key, part) in shards.full(bounds.memory) {
                if writes.len() >= WRITES_AT_ONCE
                    && let Some(written) = writes.next().await
                {
                    written?;
                }
                writes.push(Box::pin(async move { work.write(&key, part).await }));
            }
        }
    }
    for (key, part) in shards.full(0) {
        writes.push(Box::pin(async move { work.write(&key, part).await }));
    }
    while let Some(written) = writes.next().await {
        written?;
    }
    report.trim();
    Ok(Split { shards: shards.shards, report })
}

/// The shard of an account, among so many of accounts; they come behind the members' own.
pub(crate) fn shard_of(number: &MemberNumber, count: u32) -> u32 {
    let hash = digest(&SHA256, number.as_str().as_bytes());
    let hash = hash.as_ref().iter().take(4).fold(0_u32, |hash, byte| (hash << 8) | u32::from(*byte));
    1 + hash % count.max(1)
}

/// Shards under way.
struct Shards {
    run: Run,
    /// How many are of accounts.
    count: u32,
    shards: Vec<Shard>,
    buffers: Vec<Vec<u8>>,
    /// Parts to be written.
    full: Vec<(String, Vec<u8>)>,
    part: usize,
}

impl Shards {
    fn new(run: &Run, count: u32, bounds: &Bounds) -> Self {
        // And the members before them, withdrawals and balances behind.
        let all = count as usize + 3;
        let (shards, buffers) = (vec![Shard::default(); all], vec![Vec::new(); all]);
        Self { run: run.clone(), count, shards, buffers, full: Vec::new(), part: bounds.part }
    }

    /// An account's shard, the same in every run of so many shards.
    fn of(&self, number: &MemberNumber) -> u32 {
        shard_of(number, self.count)
    }

    /// The shard of the withdrawals, as [`Plan::withdrawals`](crate::plan::Plan::withdrawals) says.
    fn withdrawals(&self) -> u32 {
        self.count + 1
    }

    /// The shard of the balances, as [`Plan::balances`](crate::plan::Plan::balances) says.
    fn balances(&self) -> u32 {
        self.count + 2
    }

    fn add(&mut self, shard: u32, file: usize, line: u64, content: &[u8]) {
        let index = shard as usize;
        let buffer = &mut self.buffers[index];
        buffer.extend_from_slice(format!("{file} {line} ").as_bytes());
        buffer.extend_from_slice(content);
        buffer.push(b'\n');
        self.shards[index].lines += 1;
        if self.buffers[index].len() >= self.part {
            self.close(index);
        }
    }

    fn close(&mut self, index: usize) {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let part = self.shards[index].parts;
        self.shards[index].parts += 1;
        self.full.push((self.run.part(number, part), std::mem::take(&mut self.buffers[index])));
    }

    /// The parts to be written so that no more than `memory` bytes stay.
    fn full(&mut self, memory: usize) -> Vec<(String, Vec<u8>)> {
        while self.buffers.iter().map(Vec::len).sum::<usize>() > memory {
            let largest = (0..self.buffers.len()).max_by_key(|index| self.buffers[*index].len());
            if let Some(largest) = largest {
                self.close(largest);
            }
        }
        std::mem::take(&mut self.full)
    }
}

/// A line of a part: which file and line it was, and what it says.
pub(crate) fn of_part(tagged: &[u8]) -> Option<(usize, Line<'_>)> {
    let mut pieces = tagged.splitn(3, |byte| *byte == b' ');
    let mut number = || std::str::from_utf8(pieces.next()?).ok()?.parse::<u64>().ok();
    let (file, line) = (number()?, number()?);
    Some((usize::try_from(file).ok()?, Line { number: line, content: Ok(pieces.next()?) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_out_of_its_part_as_it_went_in() {
        let mut shards = Shards::new(&Run::of("a/", "1"), 4, &Bounds { part: 30, ..Bounds::default() });
        for (line, content) in [(7, "{\"a\": 1}"), (9, " b "), (12, "")] {
            shards.add(2, 1, line, content.as_bytes());
        }
        let parts = shards.full(0);
        assert_eq!((parts.len(), shards.shards[2].parts, shards.shards[2].lines), (1, 1, 3));
        let lines: Vec<_> = parts[0].1.split(|byte| *byte == b'\n').filter_map(of_part).collect();
        let expected = [(7, "{\"a\": 1}"), (9, " b "), (12, "")];
        let expected = expected.map(|(number, content)| (1, Line { number, content: Ok(content.as_bytes()) }));
        assert_eq!(lines, expected);
        assert_eq!(of_part(b"x 1 y"), None);
    }

    #[test]
    fn memory_is_bounded_and_the_largest_is_written_first() {
        let mut shards = Shards::new(&Run::of("a/", "1"), 4, &Bounds::default());
        for _ in 0..10 {
            shards.add(1, 0, 1, &[b'x'; 50]);
        }
        shards.add(3, 0, 2, &[b'x'; 50]);
        let parts = shards.full(100);
        assert_eq!(parts.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [shards.run.part(1, 0)]);
        assert_eq!((shards.shards[1].parts, shards.shards[3].parts), (1, 0));
    }
}

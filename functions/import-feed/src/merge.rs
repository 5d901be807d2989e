//! The end of a run: its shards' counts become one report.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use portal::domain::{Cents, Identifier};
use portal::store::{Batch, BatchLine, Became, Guard, Marks, Subject};
use serde::{Deserialize, Serialize};

use crate::awaited::Due;
use crate::feed::Manifest;
use crate::plan::{Checkpoint, Plan, Run, Task};
use crate::post::Decided;
use crate::posting::Verdict;
use crate::report::{Origin, Report};
use crate::warning::Warned;
use crate::{Function, ImportError};

/// How many guards are asked for at once.
const GUARDS_AT_ONCE: usize = 100;

/// How many objects are deleted at once.
const DELETES_AT_ONCE: usize = 16;

/// A line that had to wait for its member or its action.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    file: usize,
    line: u64,
    source_key: Identifier,
    source_version: u64,
    cents: i64,
    /// The warnings that hold as long as it waits.
    warnings: Vec<Warned>,
}

impl Waiting {
    /// `None` where the line has no key, and so cannot wait.
    pub(crate) fn of(origin: &Origin, decided: &Decided) -> Option<Self> {
        Some(Self {
            file: origin.file_index,
            line: origin.line,
            source_key: origin.source_key.clone()?,
            source_version: origin.source_version,
            cents: origin.amount.0,
            warnings: decided.of_waiting().cloned().collect(),
        })
    }

    pub(crate) fn write(&self, to: &mut Vec<u8>) {
        // Texts and numbers only: these always have a JSON form.
        to.append(&mut serde_json::to_vec(self).unwrap_or_default());
        to.push(b'\n');
    }

    fn origin(&self, manifest: &Manifest) -> Origin {
        Origin {
            line: self.line,
            source_key: Some(self.source_key.clone()),
            source_version: self.source_version,
            amount: Cents(self.cents),
            ..Origin::in_batch(manifest, self.file)
        }
    }

    /// What became of it, by the guard of its key; and whether it was counted as a release, too.
    fn verdict(&self, run: &Run, guard: Option<&Guard>) -> (Verdict, bool) {
        let Some(guard) = guard else { return (Verdict::Pending, false) };
        let at = BatchLine::of(self.file, self.line);
        let marks = guard.marks.as_ref().filter(|marks| marks.run == run.0);
        let own = marks.and_then(|marks| marks.of(at));
        if let Some((mark, became)) = own.and_then(|mark| Some((mark, mark.became?))) {
            let verdict = if became == Became::Posted { Verdict::Posted } else { Verdict::Corrected };
            return (verdict, mark.released);
        }
        let version = self.source_version;
        let repeats = |marks: &Marks| {
            marks.last_before(at).is_some_and(|mark| mark.seen.version == version && mark.became.is_some())
        };
        let waits = guard.waits.is_some() || matches!(&guard.subject, Subject::Entry { pending: Some(_), .. });
        let verdict = if marks.is_some_and(repeats) {
            Verdict::Unchanged
        } else if guard.void.contains(&version) || guard.newest().is_some_and(|(newest, _)| newest > version) {
            Verdict::Stale
        } else if waits {
            Verdict::Pending
        } else {
            Verdict::Unchanged
        };
        (verdict, false)
    }
}

impl Function {
    /// Merges the shards where all are posted. Two that both were the last write the same report.
    pub(crate) async fn merge_if_last(&self, run: &Run, plan: &Plan) -> Result<(), ImportError> {
        let finished = self.work.list(&run.finished()).await?;
        // Written before any shard of the ledger is begun.
        let due: Due = self.work.kept(&run.due()).await?.unwrap_or_default();
        let mut shards = plan.of_accounts(&due);
        shards.extend(plan.filled());
        let mut left = shards.iter().copied().filter(|shard| !finished.contains(&run.finished_shard(*shard)));
        match left.next() {
            None => {}
            // In their order: withdrawals when all accounts are posted, balances last of all. Two workers that both saw
            // it begin the same task.
            Some(shard) if shard >= plan.withdrawals() => {
                return self.begin(&Task { run: run.clone(), shard, from: 0 }).await;
            }
            Some(_) => return Ok(()),
        }
        let mut report = plan.report.clone().in_order_of(&plan.manifest);
        for shard in shards {
            let lost = || ImportError::Inconsistent(format!("the counts of shard {shard} are gone"));
            let Some(at) = self.work.kept::<Checkpoint>(&run.finished_shard(shard)).await? else {
                // Another worker was the last too, and tidies up already.
                return if self.work.find(&run.done()).await?.is_some() { Ok(()) } else { Err(lost()) };
            };
            report.add(at.report.in_order_of(&plan.manifest));
            for key in at.waiting {
                let lines = self.work.whole(&key).await?;
                let Some(lines) = lines else {
                    return if self.work.find(&run.done()).await?.is_some() { Ok(()) } else { Err(lost()) };
                };
                self.count_waiting(run, plan, &lines, &mut report).await?;
            }
        }
        report.awaited = self.importer.poster.awaited().await?;
        self.write_report(&plan.folder, &report, plan.started, Some(plan.manifest.created_at)).await?;
        self.work.write(&run.done(), b"{}".to_vec()).await?;
        self.tidy(run).await
    }

    async fn count_waiting(
        &self,
        run: &Run,
        plan: &Plan,
        lines: &[u8],
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let lines = lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        let lines: Vec<Waiting> = lines.collect();
        for some in lines.chunks(GUARDS_AT_ONCE) {
            let keys: BTreeSet<&Identifier> = some.iter().map(|line| &line.source_key).collect();
            let mut batch = Batch::new();
            let wanted = keys.iter().map(|key| batch.want::<Guard>(Guard::key_of(&plan.manifest.source, key)));
            let wanted: Vec<_> = wanted.collect();
            let mut fetched = self.importer.poster.store.fetch(batch).await?;
            let mut guards: BTreeMap<&Identifier, Guard> = BTreeMap::new();
            for (key, wanted) in keys.into_iter().zip(&wanted) {
                guards.extend(fetched.take(wanted)?.map(|guard| (key, guard)));
            }
            for line in some {
                let guard = guards.get(&line.source_key);
                let (verdict, released) = line.verdict(run, guard);
                let still_waits = verdict == Verdict::Pending;
                let warnings = if still_waits { line.warnings.clone() } else { Vec::new() };
                let decided = Decided { warnings, ..Decided::plainly(verdict) };
                report.tally(&line.origin(&plan.manifest), &decided);
                report.released = report.released.saturating_sub(u64::from(released));
            }
        }
        Ok(())
    }

    /// Deletes what a run left in the work bucket, but for the word that it is done.
    pub(crate) async fn tidy(&self, run: &Run) -> Result<(), ImportError> {
        self.delete_all(&run.folder()).await
    }

    pub(crate) async fn delete_all(&self, prefix: &str) -> Result<(), ImportError> {
        loop {
            let keys = self.work.list(prefix).await?;
            if keys.is_empty() {
                return Ok(());
            }
            let deletes = futures::stream::iter(keys).map(|key| async move { self.work.delete(&key).await });
            deletes.buffer_unordered(DELETES_AT_ONCE).try_collect::<()>().await?;
        }
    }
}

//! Posts a shard of a large batch, piece by piece, from wherever the attempt before it came to.
//!
//! After each piece a checkpoint says how far it is and what came of it. A piece that was posted without its
//! checkpoint is posted again, and its lines are counted as what the guards say that this run made of them.
//! Two workers on one shard write the same.

use jiff::{SignedDuration, Timestamp};
use portal::lambda::EventFunction as _;
use serde_json::json;

use crate::accounts::Posted;
use crate::awaited::Due;
use crate::feed::{LedgerLine, LedgerRecord, MemberRecord};
use crate::merge::Waiting;
use crate::plan::{Checkpoint, MEMBERS, Plan, Run, Task};
use crate::post::Released;
use crate::posting::Verdict;
use crate::report::{Origin, Report};
use crate::split::{of_part, shard_of};
use crate::{Function, ImportError};

/// Time that has to be left for one more piece. It is ten times what a piece takes when DynamoDB is well.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);

impl Function {
    /// Does a task, or nothing where it was done before.
    pub(crate) async fn work(&self, task: &Task, deadline: Option<Timestamp>) -> Result<(), ImportError> {
        let Task { run, shard, .. } = task;
        if self.work.find(&task.key()).await?.is_none() {
            return Ok(());
        }
        if self.work.find(&run.done()).await?.is_some() {
            // Whoever merged may have been cut off while it tidied up.
            self.tidy(run).await?;
            self.work.delete(&task.key()).await?;
            return Ok(());
        }
        let lost = || ImportError::Inconsistent(format!("run {} has a task and no plan", run.0));
        let plan: Plan = self.work.kept(&run.plan()).await?.ok_or_else(lost)?;
        if self.work.find(&run.finished_shard(*shard)).await?.is_none()
            && let Some(next) = self.post_shard(&plan, run, *shard, deadline).await?
        {
            self.hand_on(task, &Task { from: next, ..task.clone() }).await?;
            return Ok(());
        }
        if *shard == MEMBERS {
            self.begin_ledger(run, &plan).await?;
        }
        self.merge_if_last(run, &plan).await?;
        self.work.delete(&task.key()).await?;
        Ok(())
    }

    /// Writes the tasks of the ledger's shards that are not posted, now that the members are.
    pub(crate) async fn begin_ledger(&self, run: &Run, plan: &Plan) -> Result<(), ImportError> {
        let due = match self.work.kept::<Due>(&run.due()).await? {
            Some(due) => due,
            None => {
                let due = self.importer.poster.due().await?;
                self.work.keep(&run.due(), &due).await?;
                due
            }
        };
        for shard in plan.of_accounts(&due) {
            if self.work.find(&run.finished_shard(shard)).await?.is_none() {
                self.begin(&Task { run: run.clone(), shard, from: 0 }).await?;
            }
        }
        Ok(())
    }

    /// Writes a task; the bucket's event puts it into the queue.
    pub(crate) async fn begin(&self, task: &Task) -> Result<(), ImportError> {
        Ok(self.work.write(&task.key(), b"{}".to_vec()).await?)
    }

    async fn hand_on(&self, task: &Task, next: &Task) -> Result<(), ImportError> {
        self.begin(next).await?;
        if next != task {
            self.work.delete(&task.key()).await?;
        }
        Ok(())
    }

    /// Posts what is left of a shard; gives the part to go on with where the time ran out.
    async fn post_shard(
        &self,
        plan: &Plan,
        run: &Run,
        shard: u32,
        deadline: Option<Timestamp>,
    ) -> Result<Option<u32>, ImportError> {
        let parts = plan.shards.get(shard as usize).map_or(0, |shard| shard.parts);
        let mut at: Checkpoint = self.work.kept(&run.checkpoint(shard)).await?.unwrap_or_default();
        at.report = at.report.in_order_of(&plan.manifest);
        let is_late = || deadline.is_some_and(|deadline| deadline.duration_since(self.clock().now()) < MARGIN);
        // What waited came before this batch, so it is posted before its lines.
        let admitted = at.admitted;
        if shard != MEMBERS && !self.admit_shard(plan, run, shard, &mut at, &is_late).await? {
            return Ok(Some(at.next));
        }
        let mut first = at.admitted == admitted;
        while at.next < parts {
            // One piece is posted in any case, so that a run always comes further.
            if is_late() && !first {
                return Ok(Some(at.next));
            }
            first = false;
            at = self.post_piece(plan, run, shard, parts, at).await?;
            self.tell_shard(plan, shard, at.lines);
            self.work.keep(&run.checkpoint(shard), &at).await?;
        }
        if shard == MEMBERS {
            let mut taken: Vec<_> = at.taken.iter().filter_map(|line| self.member(plan, line.as_bytes())).collect();
            self.importer.post_taken(&plan.manifest, &mut taken, &mut at.report).await?;
        }
        self.importer.poster.end_doubts(&mut at.report).await?;
        at.report.trim();
        self.work.keep(&run.finished_shard(shard), &at).await?;
        self.delete_all(&format!("{}parts/{shard:04}/", run.folder())).await?;
        Ok(None)
    }

    /// Posts what waits for the accounts of a shard that have come; `false` where the time ran out.
    async fn admit_shard(
        &self,
        plan: &Plan,
        run: &Run,
        shard: u32,
        at: &mut Checkpoint,
        is_late: &(impl Fn() -> bool + Sync),
    ) -> Result<bool, ImportError> {
        let due: Due = self.work.kept(&run.due()).await?.unwrap_or_default();
        let shards = plan.account_shards();
        let mut accounts = due.accounts.iter().map(|(number, _)| number);
        let accounts = accounts.by_ref().filter(|number| shard_of(number, shards) == shard).skip(at.admitted);
        let context = self.importer.poster.context(&plan.manifest, Some(&run.0));
        for account in accounts {
            let report = &mut at.report;
            let count =
                |released: Vec<Released>| released.iter().for_each(|released| count_released(plan, report, released));
            let all = self.importer.poster.admit(&context, account, count, || !is_late()).await?;
            at.admitted += usize::from(all);
            self.importer.poster.thin_doubts(&mut at.report).await?;
            if !all || is_late() {
                at.report.trim();
                self.work.keep(&run.checkpoint(shard), at).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Posts the next parts, as many as make a piece.
    async fn post_piece(
        &self,
        plan: &Plan,
        run: &Run,
        shard: u32,
        parts: u32,
        mut at: Checkpoint,
    ) -> Result<Checkpoint, ImportError> {
        let from = at.next;
        let mut piece = Vec::new();
        while at.next < parts && piece.len() < self.bounds.part {
            let key = run.part(shard, at.next);
            let lost = || ImportError::Inconsistent(format!("{key} is gone"));
            piece.append(&mut self.work.whole(&key).await?.ok_or_else(lost)?);
            at.next += 1;
        }
        let lines = piece.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        at.lines += lines.clone().count() as u64;
        if shard == MEMBERS {
            let window = lines.clone().filter_map(|line| self.member(plan, line)).collect();
            let mut taken = Vec::new();
            self.importer.post_members(&plan.manifest, window, &mut taken, &mut at.report, |_| {}).await?;
            let is_taken = |line: &&[u8]| {
                of_part(line).is_some_and(|(file, line)| {
                    taken.iter().any(|(_, origin)| (origin.file_index, origin.line) == (file, line.number))
                })
            };
            at.taken.extend(lines.filter(is_taken).map(|line| String::from_utf8_lossy(line).into_owned()));
        } else if shard == plan.balances() {
            let last_day = plan.manifest.last_day();
            let mut window = Vec::new();
            for (file_index, line) in lines.filter_map(of_part) {
                if let Ok(LedgerLine::Balance(balance)) = LedgerLine::read_by(&line, last_day) {
                    let origin = Origin::in_batch(&plan.manifest, file_index);
                    window.push((balance, origin.of_balance(&line, &mut at.report)));
                }
            }
            self.importer.poster.check_balances(window, &mut at.report).await?;
        } else {
            let window = lines.filter_map(|tagged| {
                let (file_index, line) = of_part(tagged)?;
                let record = LedgerRecord::read(&line).ok()?;
                Some(Origin::in_batch(&plan.manifest, file_index).of_record(&line, record))
            });
            let window = window.collect();
            let posted = self.importer.poster.post_lines(&plan.manifest, Some(&run.0), window, |_| {}).await?;
            let waiting = count(plan, &mut at.report, posted);
            self.importer.poster.thin_doubts(&mut at.report).await?;
            if !waiting.is_empty() {
                let key = run.waiting(shard, from, &waiting);
                self.work.write(&key, waiting).await?;
                at.waiting.push(key);
            }
        }
        at.report.trim();
        Ok(at)
    }

    fn member(&self, plan: &Plan, tagged: &[u8]) -> Option<(MemberRecord, Origin)> {
        let (file_index, line) = of_part(tagged)?;
        let record = MemberRecord::read(&line).ok()?;
        let source_key = Some(record.key());
        Some((record, Origin { line: line.number, source_key, ..Origin::in_batch(&plan.manifest, file_index) }))
    }

    fn tell_shard(&self, plan: &Plan, shard: u32, done: u64) {
        let of = plan.shards.get(shard as usize).map_or(0, |shard| shard.lines);
        let import = json!({"batch_id": plan.manifest.batch_id, "shard": shard, "done": done, "of": of});
        self.log.write(portal::log::Line::new(Self::NAME).with("import", import));
    }
}

/// Counts what is decided; gives the lines that wait, which are counted at the end.
fn count(plan: &Plan, report: &mut Report, posted: Posted) -> Vec<u8> {
    let mut waiting = Vec::new();
    for (origin, decided) in posted.decisions {
        match Waiting::of(&origin, &decided).filter(|_| decided.verdict == Verdict::Pending) {
            Some(line) => {
                report.name(&origin, &decided.but_of_waiting());
                line.write(&mut waiting);
            }
            None => report.tally(&origin, &decided),
        }
    }
    posted.released.iter().for_each(|released| count_released(plan, report, released));
    waiting
}

fn count_released(plan: &Plan, report: &mut Report, released: &Released) {
    report.name_released(released);
    // What this batch left waiting is counted by its line.
    let posted = matches!(released.decided.verdict, Verdict::Posted | Verdict::Corrected);
    report.released += u64::from(posted && released.batch_id != plan.manifest.batch_id);
}

//! Posts records: reads what the rule needs, commits what it says, tries again where
//! somebody else was faster.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use portal::clock::Clock;
use portal::domain::{Cents, Identifier, MemberNumber, ViewRule};
use portal::environment::rng;
use portal::invocation::trouble;
use portal::store::{
    Action, ActionPlace, Entry, Outcome, Page, Pending, StoreError, Transaction, WaitingContent, WaitingRecord,
};
use rand::RngExt as _;

use crate::ImportError;
use crate::feed::{LedgerRecord, Manifest, Reason};
use crate::needs::first_needs;
use crate::order::order;
use crate::posting::{Blocked, Context, Job, NamedLine, State, Task, Verdict, plan};
use crate::sources::Sources;
use crate::tables::Tables;
use crate::warning::Warned;

/// How many jobs are looked at together. An entry takes at least two writes, so a transaction never
/// holds more.
const AHEAD: usize = 50;

/// How often in a row a transaction may come too late. Each time somebody else came through, so this
/// many mean that something else is wrong.
pub(crate) const MOST_ATTEMPTS: u32 = 20;

/// The first pause after coming too late; doubled each time, up to 64 times as long, and jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The most bytes of totals and transfers in a transaction, of the 4 MB that it has at most: each of these may have hundreds of
/// kilobytes, and all else that one writes together at most 1.5 MB.
const MOST_LARGE_BYTES: usize = 2_000_000;

/// The store holds no such thing, however often it is sent.
pub(crate) const REFUSED_BY_STORE: Reason = Reason::of("refused-by-store");

/// How many entries of an action are read at once when they are moved or released.
pub(crate) const PAGE: i32 = 200;

/// Posts to accounts.
#[derive(Debug, Clone)]
pub struct Poster<T> {
    /// The members and the ledger table.
    pub store: T,
    /// When things are posted.
    pub clock: Clock,
    /// Which view an entry belongs to.
    pub rule: ViewRule,
    /// Which systems may send batches.
    pub sources: Arc<Sources>,
}

/// A record of the feed, and the line that it stands in.
pub(crate) struct FromLine {
    pub record: LedgerRecord,
    pub line: NamedLine,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub verdict: Verdict,
    /// The field that could not be kept.
    pub ignored: Option<Reason>,
    /// What looks mistaken.
    pub warnings: Vec<Warned>,
}

impl Decided {
    /// The warnings that hold as long as the record waits.
    pub(crate) fn of_waiting(&self) -> impl Iterator<Item = &Warned> {
        self.warnings.iter().filter(|warned| warned.warning.is_of_waiting())
    }

    /// The same without that.
    pub(crate) fn but_of_waiting(&self) -> Self {
        let warnings = self.warnings.iter().filter(|warned| !warned.warning.is_of_waiting());
        Self { warnings: warnings.cloned().collect(), ..self.clone() }
    }

    /// One of which nothing else is to be said.
    pub(crate) fn plainly(verdict: Verdict) -> Self {
        Self { verdict, ignored: None, warnings: Vec::new() }
    }
}

/// A record that waited, for its member or its action, and that was posted, or not, when it came.
#[derive(Debug, Clone)]
pub(crate) struct Released {
    pub source_key: Identifier,
    pub source_version: u64,
    pub batch_id: Identifier,
    /// The file and the line of that batch, where they are known.
    pub line: Option<(String, u64)>,
    pub amount: Cents,
    pub decided: Decided,
}

impl Released {
    pub(crate) fn of_pending(pending: Pending, decided: Decided) -> Self {
        let Pending { source_key, source_version, batch_id, facts, .. } = pending;
        Self { source_key, source_version, batch_id, line: None, amount: facts.amount, decided }
    }

    /// An entry that was moved with its action, where something is to be said of it.
    pub(crate) fn of_moved(entry: &Entry, mut decided: Decided) -> Option<Self> {
        if !matches!(decided.verdict, Verdict::Quarantined(_)) {
            // It counts where it was posted first.
            decided.verdict = Verdict::Unchanged;
        }
        let is_plain = decided == Decided::plainly(Verdict::Unchanged);
        let Entry { source_key, source_version, batch_id, facts, .. } = entry;
        (!is_plain).then(|| Self {
            source_key: source_key.clone(),
            source_version: *source_version,
            batch_id: batch_id.clone(),
            line: None,
            amount: facts.amount,
            decided,
        })
    }

    fn of_waiting(record: WaitingRecord, decided: Decided) -> Self {
        let WaitingRecord { source_key, source_version, batch_id, file, line, content, .. } = record;
        let amount = match content {
            WaitingContent::Entry(facts) => facts.amount,
            WaitingContent::Action { .. } => Cents::ZERO,
        };
        Self { source_key, source_version, batch_id, line: Some((file, line)), amount, decided }
    }
}

/// What jobs left to be done.
#[derive(Default)]
pub(crate) struct Unfinished {
    /// Actions whose entries are to be moved or released.
    actions: BTreeSet<ActionPlace>,
    /// Accounts that have come, and that records wait for.
    accounts: BTreeSet<MemberNumber>,
    /// Entries that were moved meanwhile, and of which something is to be said.
    moved: Vec<Released>,
}

enum Step {
    /// So many jobs are done.
    Done(Vec<Decided>),
    /// Somebody else wrote in between.
    TooLate,
    /// What was read does not fit together: of before and of after what somebody else wrote in between, or for good.
    Inconsistent(String),
    /// Entries of an action have to be moved first.
    Unsettled(ActionPlace),
    /// The first so many jobs together are more than the store takes.
    TooMuch(usize, String),
}

impl<T: Tables> Poster<T> {
    /// Posts records, actions first; gives their verdicts in the order of `records`, and what was
    /// released.
    ///
    /// # Errors
    /// Where the store fails for longer than trying again helps.
    pub(crate) async fn post(
        &self,
        manifest: &Manifest,
        run: Option<&str>,
        records: Vec<FromLine>,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<(Vec<Decided>, Vec<Released>), ImportError> {
        let context = self.context(manifest, run);
        let mut decisions = vec![Decided::plainly(Verdict::Unchanged); records.len()];
        let order = order(records.iter().map(|from| &from.record));
        let mut in_order: Vec<_> = order.into_iter().zip(records.into_iter().enumerate()).collect();
        in_order.sort_by_key(|(rank, _)| *rank);
        let (places, jobs): (Vec<usize>, Vec<Job>) = in_order
            .into_iter()
            .map(|(_, (place, FromLine { record, line }))| (place, Job { task: Task::Post(record), line: Some(line) }))
            .unzip();
        let (done, unfinished) = self.run(&context, &jobs, &progress).await?;
        for (place, decided) in places.into_iter().zip(done) {
            decisions[place] = decided;
        }
        let mut released = unfinished.moved;
        for account in &unfinished.accounts {
            self.admit(&context, account, |mut more| released.append(&mut more), || true).await?;
        }
        self.finish(&context, &unfinished.actions, &mut released).await?;
        Ok((decisions, released))
    }

    /// What holds for all records of a batch that is posted now.
    pub(crate) fn context(&self, manifest: &Manifest, run: Option<&str>) -> Context {
        Context {
            source: manifest.source.clone(),
            batch_id: manifest.batch_id.clone(),
            now: self.clock.now(),
            rule: self.rule,
            sources: self.sources.clone(),
            run: run.map(str::to_owned),
        }
    }

    /// Moves and releases the entries of actions.
    async fn finish(
        &self,
        context: &Context,
        actions: &BTreeSet<ActionPlace>,
        released: &mut Vec<Released>,
    ) -> Result<(), ImportError> {
        for place in actions {
            self.settle(context, place, released).await?;
            released.append(&mut self.release(context, place).await?);
        }
        Ok(())
    }

    /// Posts the records that wait for an account, page by page; those of an account that has not come go on waiting.
    /// `each` takes what was posted, and `goes_on` is asked after each page; gives whether all pages were read.
    ///
    /// # Errors
    /// Where the store fails for longer than trying again helps.
    pub(crate) async fn admit(
        &self,
        context: &Context,
        account: &MemberNumber,
        mut each: impl FnMut(Vec<Released>) + Send,
        goes_on: impl Fn() -> bool + Send,
    ) -> Result<bool, ImportError> {
        let mut query = WaitingRecord::all(account).limit(PAGE);
        loop {
            let Page { mut items, next } = self.store.query::<WaitingRecord>(&query).await?;
            // Payments say to whom a transfer went, and what comes back of it goes by that.
            items.sort_by_key(WaitingRecord::comes_back);
            let jobs: Vec<Job> =
                items.iter().map(|record| Job { task: Task::Admit(record.clone()), line: None }).collect();
            let (decisions, unfinished) = self.run(context, &jobs, &|_| {}).await?;
            let posted = items.into_iter().zip(decisions);
            let mut released: Vec<_> = posted.map(|(record, decided)| Released::of_waiting(record, decided)).collect();
            released.extend(unfinished.moved);
            self.finish(context, &unfinished.actions, &mut released).await?;
            each(released);
            if next.is_none() {
                return Ok(true);
            }
            if !goes_on() {
                return Ok(false);
            }
            query = query.after(next);
        }
    }

    /// Does jobs in their order, as many to a transaction as fit, and sums up the accounts that they concern; gives what was
    /// seen to be left to do.
    pub(crate) async fn run(
        &self,
        context: &Context,
        jobs: &[Job],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(Vec<Decided>, Unfinished), ImportError> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut unfinished = Unfinished::default();
        let mut state = State::default();
        let mut ledgers: BTreeSet<MemberNumber> = BTreeSet::new();
        let (mut attempts, mut at_once) = (0, AHEAD);
        while let Some(job) = jobs.get(verdicts.len()) {
            let ahead = &jobs[verdicts.len()..jobs.len().min(verdicts.len() + at_once)];
            let refused = match self.step(&mut state, context, ahead).await {
                Ok(Step::Done(mut done)) => {
                    (attempts, at_once) = (0, AHEAD.min(2 * at_once));
                    progress(done.len() as u64);
                    verdicts.append(&mut done);
                    unfinished
                        .actions
                        .extend(state.actions().filter(|action| action.is_unfinished()).map(Action::place));
                    unfinished.accounts.extend(state.due().cloned());
                    ledgers.extend(state.ledgers().cloned());
                    continue;
                }
                Ok(Step::Unsettled(place)) => {
                    let left = Box::pin(self.settle(context, &place, &mut unfinished.moved)).await?;
                    left.map(|reason| (reason, format!("entries of {} cannot be moved", place.action_id)))
                }
                Ok(Step::TooMuch(together, what)) if together <= 1 => Some((REFUSED_BY_STORE, what)),
                Ok(Step::TooMuch(together, _)) => {
                    // Half as many, and in the end the one alone for which it was refused.
                    (at_once, state) = (together / 2, State::default());
                    continue;
                }
                Ok(Step::Inconsistent(what)) if attempts == MOST_ATTEMPTS => {
                    return Err(ImportError::Inconsistent(what));
                }
                Ok(Step::TooLate | Step::Inconsistent(_)) => None,
                // What was sent may have been committed or not: what is stored says it.
                Err(ImportError::Store(StoreError::Contention | StoreError::Unavailable { .. }))
                    if attempts < MOST_ATTEMPTS =>
                {
                    None
                }
                Err(error) => return Err(error),
            };
            if let Some((reason, what)) = refused {
                // Nothing that a feed may contain ends a batch: the others are posted.
                trouble(format!("a record is put aside, {}: {what}", reason.code));
                if let Task::Admit(record) = &job.task {
                    let give_up = Job { task: Task::GiveUp(record.clone(), reason), line: None };
                    Box::pin(self.run(context, &[give_up], &|_| {})).await?;
                }
                verdicts.push(Decided::plainly(Verdict::Quarantined(reason)));
                progress(1);
                // Those behind it are tried one by one first: the store may refuse all of an account.
                (attempts, at_once, state) = (0, 1, State::default());
                continue;
            }
            attempts += 1;
            if attempts > MOST_ATTEMPTS {
                return Err(ImportError::Store(StoreError::Contention));
            }
            state = State::default();
            let longest = FIRST_PAUSE * (1 << attempts.min(6));
            tokio::time::sleep(longest.mul_f64(rng().random_range(0.5..1.0))).await;
        }
        for account in &ledgers {
            self.sum_up(account).await?;
        }
        Ok((verdicts, unfinished))
    }

    /// Does the first of these jobs, as many as fit into a transaction.
    async fn step(&self, state: &mut State, context: &Context, ahead: &[Job]) -> Result<Step, ImportError> {
        state.load(&self.store, ahead.iter().flat_map(|job| first_needs(context, job))).await?;
        let mut verdicts = Vec::new();
        while let Some(job) = ahead.get(verdicts.len()) {
            match plan(state, context, job) {
                Ok((verdict, mut changes)) => {
                    let is_full = state.writes_with(&changes) > Transaction::MOST
                        || state.large_bytes_with(&changes) > MOST_LARGE_BYTES;
                    if is_full && verdicts.is_empty() {
                        return Ok(Step::TooMuch(1, "it changes more than a transaction has".to_owned()));
                    }
                    if is_full {
                        break;
                    }
                    let (ignored, warnings) = (changes.ignored, std::mem::take(&mut changes.warnings));
                    verdicts.push(Decided { verdict, ignored, warnings });
                    state.apply(changes);
                }
                Err(Blocked::Needs(mut needs)) => {
                    // What the jobs behind it will need is read in the same call.
                    for job in &ahead[verdicts.len() + 1..] {
                        if let Err(Blocked::Needs(mut more)) = plan(state, context, job) {
                            needs.append(&mut more);
                        }
                    }
                    state.load(&self.store, needs).await?;
                }
                Err(Blocked::Unsettled(place)) if verdicts.is_empty() => return Ok(Step::Unsettled(place)),
                Err(Blocked::Unsettled(_)) => break,
                Err(Blocked::Inconsistent(what)) => return Ok(Step::Inconsistent(what)),
                Err(Blocked::Refused(_)) => return Ok(Step::Inconsistent("a refusal without its verdict".to_owned())),
            }
        }
        let transaction = state.transaction(self.clock.now())?;
        if transaction.is_empty() {
            return Ok(Step::Done(verdicts));
        }
        match self.store.commit(&transaction).await {
            Ok(Outcome::Committed) => Ok(Step::Done(verdicts)),
            Ok(Outcome::Refused(_)) => Ok(Step::TooLate),
            Err(error) if error.is_of_content() => Ok(Step::TooMuch(verdicts.len(), error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

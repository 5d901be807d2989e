//! Posts records: reads what the rule needs, commits what it says, tries again where
//! somebody else was faster.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use portal::clock::Clock;
use portal::domain::{Cents, EntryKind, Identifier, MemberNumber, ViewRule};
use portal::environment::rng;
use portal::invocation::trouble;
use portal::store::{
    Account, Action, ActionPlace, AwaitedMember, Entry, Facets, Guard, Outcome, Page, Pending, Remittance, StoreError,
    Totals, Transaction, WaitingContent, WaitingRecord,
};
use rand::RngExt as _;

use crate::ImportError;
use crate::feed::{LedgerRecord, Manifest, Reason};
use crate::order::order;
use crate::posting::{Blocked, Context, Job, MOST_MOVES, NamedLine, Need, State, Task, Verdict, plan};
use crate::sources::Sources;
use crate::tables::Tables;
use crate::warning::Warned;

/// How many jobs are looked at together. An entry takes at least two writes, so a transaction never
/// holds more.
const AHEAD: usize = 50;

/// How often in a row a transaction may come too late. Each time somebody else came through, so this
/// many mean that something else is wrong.
const MOST_ATTEMPTS: u32 = 20;

/// The first pause after coming too late; doubled each time, up to 64 times as long, and jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The most bytes of totals and transfers in a transaction, of the 4 MB that it has at most: each of these may have hundreds of
/// kilobytes, and all else that one writes together at most 1.5 MB.
const MOST_LARGE_BYTES: usize = 2_000_000;

/// The store holds no such thing, however often it is sent.
pub(crate) const REFUSED_BY_STORE: Reason = Reason::of("refused-by-store");

/// How many entries of an action are read at once when they are moved or released.
const PAGE: i32 = 200;

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
    /// What looks mistaken as long as the record waits.
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
    fn of_pending(pending: Pending, decided: Decided) -> Self {
        let Pending { source_key, source_version, batch_id, facts, .. } = pending;
        Self { source_key, source_version, batch_id, line: None, amount: facts.amount, decided }
    }

    /// An entry that was moved with its action, where something is to be said of it.
    fn of_moved(entry: &Entry, mut decided: Decided) -> Option<Self> {
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
struct Unfinished {
    /// Actions whose entries are to be moved or released.
    actions: BTreeSet<ActionPlace>,
    /// Accounts that have come, and that records wait for.
    accounts: BTreeSet<MemberNumber>,
    /// What is to be said of entries that were moved meanwhile.
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
    async fn run(
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
                    unfinished.actions.extend(state.actions().filter(|action| action.is_unfinished()).map(place_of));
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

    /// Moves the entries of an action to the account, view and scheme that it has now. Cut off anywhere,
    /// it goes on with what is left when it is called again. Gives the reason for which some had to stay where they were, and
    /// what is to be said of them to `moved`.
    async fn settle(
        &self,
        context: &Context,
        place: &ActionPlace,
        moved: &mut Vec<Released>,
    ) -> Result<Option<Reason>, ImportError> {
        let target: Option<Action> = self.store.get(&Action::key_of(&place.account, &place.action_id)).await?;
        let Some(target) = target.filter(Action::is_moving) else { return Ok(None) };
        let mut left = None;
        let from = target.coming_from.as_ref().unwrap_or(place);
        let home = target.state.as_ref().map(|state| state.home);
        let is_there = |entry: &Entry| {
            entry.member_number == place.account
                && entry.action_id.as_ref() == Some(&place.action_id)
                && home.is_some_and(|home| home.view == entry.view && Some(home.scheme) == entry.scheme)
        };
        let mut query = Action::entries_of(&from.account, &from.action_id).limit(PAGE);
        loop {
            let Page { items, next } = self.store.query::<Entry>(&query).await?;
            let entries = items.into_iter().filter(|entry| entry.facts.kind != EntryKind::Reversal && !is_there(entry));
            let entries: Vec<Entry> = entries.collect();
            let relocate = |entry: &Entry| Job { task: Task::Relocate(entry.clone(), place.clone()), line: None };
            let jobs: Vec<Job> = entries.iter().map(relocate).collect();
            let (decisions, _) = self.run(context, &jobs, &|_| {}).await?;
            left = left.or(decisions.iter().find_map(|decided| match decided.verdict {
                Verdict::Quarantined(reason) => Some(reason),
                _ => None,
            }));
            let each = entries.iter().zip(decisions);
            moved.extend(each.filter_map(|(entry, decided)| Released::of_moved(entry, decided)));
            if next.is_none() {
                return Ok(left);
            }
            query = query.after(next);
        }
    }

    /// Posts the entries that waited for an action, to where it is now.
    async fn release(&self, context: &Context, place: &ActionPlace) -> Result<Vec<Released>, ImportError> {
        let mut released = Vec::new();
        // Again where it moved on meanwhile.
        for _ in 0..MOST_ATTEMPTS {
            let Some(target) = self.present(place).await? else { return Ok(released) };
            let mut query = Pending::all(place).limit(PAGE);
            let mut all_done = true;
            loop {
                let Page { mut items, next } = self.store.query::<Pending>(&query).await?;
                // As above: payments first.
                items.sort_by_key(|pending| pending.facts.has_side_of_transfer());
                let release =
                    |pending: &Pending| Job { task: Task::Release(pending.clone(), target.clone()), line: None };
                let jobs: Vec<Job> = items.iter().map(release).collect();
                let (decisions, _) = self.run(context, &jobs, &|_| {}).await?;
                all_done &= decisions.iter().all(|decided| decided.verdict != Verdict::Pending);
                let posted = items.into_iter().zip(decisions);
                released.extend(posted.map(|(pending, decided)| Released::of_pending(pending, decided)));
                if next.is_none() {
                    break;
                }
                query = query.after(next);
            }
            if all_done {
                break;
            }
        }
        Ok(released)
    }

    /// Where an action is that something waits for: here, or where it has moved to.
    async fn present(&self, place: &ActionPlace) -> Result<Option<ActionPlace>, ImportError> {
        let mut place = place.clone();
        let mut waits = false;
        // Each account was left later than the one before, so this ends; the bound is for what it costs.
        for _ in 0..MOST_MOVES {
            let action: Option<Action> = self.store.get(&Action::key_of(&place.account, &place.action_id)).await?;
            let Some(action) = action else { return Ok(None) };
            waits |= action.waiting > 0;
            match action.moved_to {
                Some(now) if waits => place = now,
                _ => return Ok((waits && action.state.is_some()).then_some(place)),
            }
        }
        // It goes on waiting, as what names this account now is put aside.
        Ok(None)
    }
}

fn place_of(action: &Action) -> ActionPlace {
    ActionPlace { account: action.member_number.clone(), action_id: action.action_id.clone() }
}

/// What a job needs to know in any case, so that it is read in one call for many jobs.
fn first_needs(context: &Context, job: &Job) -> Vec<Need> {
    let guard = |source, key| Need::Guard(Guard::key_of(source, key));
    let account = |number| Need::Account(Account::key_of(number));
    let view = |number, view| [Need::Totals(Totals::key_of(number, view)), Need::Facets(Facets::key_of(number, view))];
    match &job.task {
        Task::Post(LedgerRecord::Action(record)) => {
            let mut needs = vec![guard(&context.source, &record.source_key), account(&record.member_number)];
            needs.push(Need::Action(Action::key_of(&record.member_number, &record.action_id)));
            needs.extend(view(&record.member_number, context.rule.of_engagement(record.engagement_date)));
            needs
        }
        Task::Post(LedgerRecord::Entry(record)) => {
            let mut needs = vec![guard(&context.source, &record.source_key), account(&record.member_number)];
            match (&record.action_id, record.facts.year) {
                (Some(action_id), _) => needs.push(Need::Action(Action::key_of(&record.member_number, action_id))),
                (None, Some(year)) => needs.extend(view(&record.member_number, context.rule.of_year(year))),
                (None, None) => {}
            }
            let remittance = record.facts.transfer(None);
            let key = |number| Remittance::key_of(&record.member_number, &context.source, number);
            needs.extend(remittance.map(|number| Need::Remittance(key(number))));
            needs
        }
        Task::Post(LedgerRecord::Withdrawal(record)) => vec![guard(&context.source, &record.source_key)],
        Task::Release(pending, target) => {
            let mut needs = vec![guard(&pending.source, &pending.source_key), account(&target.account)];
            needs.extend(
                [&pending.place, target].map(|place| Need::Action(Action::key_of(&place.account, &place.action_id))),
            );
            needs
        }
        Task::Relocate(entry, target) => {
            vec![guard(&entry.source, &entry.source_key), account(&target.account)]
        }
        Task::GiveUp(record, _) => {
            let awaited = Need::Awaited(AwaitedMember::key_of(&record.place.account));
            vec![guard(&record.source, &record.source_key), awaited]
        }
        Task::Admit(record) => {
            let place = &record.place;
            let awaited = Need::Awaited(AwaitedMember::key_of(&place.account));
            let mut needs = vec![guard(&record.source, &record.source_key), account(&place.account), awaited];
            needs.extend(place.action_id.as_ref().map(|id| Need::Action(Action::key_of(&place.account, id))));
            match &record.content {
                WaitingContent::Action { engagement_date, .. } => {
                    needs.extend(view(&place.account, context.rule.of_engagement(*engagement_date)));
                }
                WaitingContent::Entry(facts) => {
                    needs.extend(
                        facts.year.map(|year| view(&place.account, context.rule.of_year(year))).into_iter().flatten(),
                    );
                    let remittance = facts.transfer(None);
                    let key = |number| Remittance::key_of(&place.account, &record.source, number);
                    needs.extend(remittance.map(|number| Need::Remittance(key(number))));
                }
            }
            needs
        }
    }
}

//! The posting rule: what a record does to the ledger.
//!
//! [`plan`] is a pure function of what the ledger holds ([`State`]) and a [`Job`]; it gives a [`Verdict`]
//! and the [`Changes`] that belong to it, or says what it needs to know first. Everything that it changes
//! is committed in one transaction, so totals equal the sum of the entries before and after.

mod action;
mod desk;
mod entry;
mod state;
mod waiting;
mod withdrawal;

use desk::Cause;
pub use desk::{Changes, Desk};
pub use state::{Need, State};

use std::sync::Arc;

use jiff::Timestamp;
use portal::domain::{Identifier, ViewRule};
use portal::store::{
    ActionPlace, BatchLine, Became, Entry, Fingerprint, Guard, KeyedRecord, Mark, Marks, Pending, Seen, StoreError,
    WaitingRecord,
};

use crate::feed::{LedgerRecord, Reason};
use crate::sources::Sources;
use crate::warning::{Particulars, Warned, Warning};

/// What holds for all records of a batch.
#[derive(Debug, Clone)]
pub struct Context {
    /// The system that sent the batch.
    pub source: Identifier,
    /// The batch.
    pub batch_id: Identifier,
    /// The instant at which it began. What it posts is booked at the instant of its transaction: [`State::transaction`].
    pub now: Timestamp,
    /// Which view an entry belongs to.
    pub rule: ViewRule,
    /// Which systems' entries may name whose actions.
    pub sources: Arc<Sources>,
    /// The run, where it posts a batch in pieces and a piece may be posted twice.
    pub run: Option<String>,
}

/// One thing to do.
#[derive(Debug, Clone)]
pub struct Job {
    /// What.
    pub task: Task,
    /// The line that a record comes from.
    pub line: Option<NamedLine>,
}

/// A line of a batch.
#[derive(Debug, Clone)]
pub struct NamedLine {
    /// The line.
    pub at: BatchLine,
    /// The name of its file.
    pub file: String,
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Task {
    /// Post a record of the feed.
    Post(LedgerRecord),
    /// Post an entry whose action has come, to where that is now.
    Release(Pending, ActionPlace),
    /// Post a record whose member has come.
    Admit(WaitingRecord),
    /// Let a record wait no longer that cannot be posted, for this reason.
    GiveUp(WaitingRecord, Reason),
    /// Move an entry to where its action is now.
    Relocate(Entry, ActionPlace),
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is new and posted.
    Posted,
    /// It is posted in place of what it corrects.
    Corrected,
    /// It took back what was in force or waited.
    Withdrawn,
    /// It was posted before.
    Unchanged,
    /// It waits for its member or its action.
    Pending,
    /// A newer version came before.
    Stale,
    /// It cannot be posted.
    Quarantined(Reason),
}

impl Verdict {
    /// Returns true where the ledger is another one for it.
    fn is_change(self) -> bool {
        matches!(self, Self::Posted | Self::Corrected | Self::Withdrawn)
    }
}

/// Why a job cannot be planned yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// This has to be read first.
    Needs(Vec<Need>),
    /// Entries of this action have to be moved to where it is first.
    Unsettled(ActionPlace),
    /// What was read contradicts itself: it was read before and after somebody else wrote, or is stored so.
    Inconsistent(String),
    /// It cannot be posted.
    Refused(Reason),
}

/// The hash of what is written: what was read from an item, or is made of it, can be one.
fn hashed(fingerprint: Result<Fingerprint, StoreError>) -> Result<Fingerprint, Blocked> {
    fingerprint.map_err(|error| Blocked::Inconsistent(error.to_string()))
}

/// Decides what a job does.
///
/// # Errors
/// Where something has to be read or moved first.
pub fn plan(state: &State, context: &Context, job: &Job) -> Result<(Verdict, Changes), Blocked> {
    let mut desk = Desk::new(state);
    let verdict = match &job.task {
        Task::Post(LedgerRecord::Action(record)) => action::post(&mut desk, context, record, job.line.as_ref()),
        Task::Post(LedgerRecord::Entry(record)) => entry::post(&mut desk, context, record, job.line.as_ref()),
        Task::Post(LedgerRecord::Withdrawal(record)) => withdrawal::post(&mut desk, context, record, job.line.as_ref()),
        Task::Release(pending, target) => entry::release(&mut desk, context, pending, target),
        Task::Admit(record) => waiting::admit(&mut desk, context, record),
        Task::GiveUp(_, reason) => Err(Blocked::Refused(*reason)),
        Task::Relocate(entry, target) => entry::relocate(&mut desk, context, entry, target),
    };
    let verdict = match verdict {
        Err(Blocked::Refused(reason)) => Verdict::Quarantined(reason),
        other => other?,
    };
    let changes = match (verdict, &job.task) {
        (Verdict::Quarantined(_), Task::Admit(record) | Task::GiveUp(record, _)) => {
            // It waits no longer, and what was there before it stays: as if it had come now.
            let mut desk = Desk::new(state);
            waiting::give_up(&mut desk, record)?;
            desk.into_changes()
        }
        (Verdict::Quarantined(_), _) => Changes::default(),
        _ => desk.into_changes(),
    };
    let changes = match &job.task {
        Task::Relocate(..) => changes,
        _ if verdict.is_change() => doubt(state, changes),
        _ => changes,
    };
    Ok((verdict, changes))
}

/// Warns of the actions that look mistaken with these changes, if they still do when all of the batch is posted.
fn doubt(state: &State, mut changes: Changes) -> Changes {
    for (key, action) in &changes.actions {
        let before = state.actions.get(key).flatten();
        let doubts = Warning::of_change(before, action).map(|warning| Warned {
            warning,
            figures: Warning::particulars_of(action),
            doubted: Some(action.place()),
        });
        changes.warnings.extend(doubts);
    }
    changes
}

/// The last version that there can be.
const LAST_VERSION: u64 = (1 << 53) - 1;

/// The count of versions that must be able to follow one.
const MOST_TO_FOLLOW: u64 = 1_000_000;

/// A version that is so many times the one before is a jump, and none below it: some count, some send the time of a change.
const MOST_TIMES: u64 = 1_000;

/// The version before this one, where this one looks mistyped: thousands of times as high, or close to the last that can be.
fn jumped_from(guard: Option<&Guard>, version: u64) -> Option<u64> {
    let before = guard.and_then(Guard::newest).map_or(0, |(newest, _)| newest);
    let is_far = before > 0 && version / before >= MOST_TIMES;
    (is_far || version > LAST_VERSION - MOST_TO_FOLLOW).then_some(before)
}

/// Warns of a version that looks mistyped.
fn warn_of_jump(desk: &mut Desk<'_>, guard: Option<&Guard>, version: u64) {
    let Some(before) = jumped_from(guard, version) else { return };
    let figures = Particulars {
        source_version: Some(version),
        former_version: Some(before).filter(|before| *before > 0),
        ..Particulars::default()
    };
    desk.warn(Warning::VersionJump.with(figures));
}

/// The most changes of its account that an action may have had.
pub(crate) const MOST_MOVES: u32 = 1_000;

/// How a record stands to what came before under its key.
enum Standing {
    New,
    Newer,
    Same,
    Older,
    Conflicting,
    /// An action under an entry's key, or the other way round.
    OfAnotherKind,
}

/// `kind` is nothing where a record of any kind may follow what came before.
fn standing(
    guard: Option<&Guard>,
    kind: Option<KeyedRecord>,
    version: u64,
    content_hash: impl FnOnce() -> String,
) -> Standing {
    if guard.is_some_and(|guard| guard.void.contains(&version)) {
        return Standing::Older;
    }
    let Some((guard, (newest, hash))) = guard.and_then(|guard| Some((guard, guard.newest()?))) else {
        return Standing::New;
    };
    if guard.kind().zip(kind).is_some_and(|(known, kind)| known != kind) {
        return Standing::OfAnotherKind;
    }
    match version.cmp(&newest) {
        std::cmp::Ordering::Greater => Standing::Newer,
        std::cmp::Ordering::Less => Standing::Older,
        std::cmp::Ordering::Equal if content_hash() == hash => Standing::Same,
        std::cmp::Ordering::Equal => Standing::Conflicting,
    }
}

/// What this run counted a line as when it posted it before, in an attempt that was lost. `None` where it did not.
fn counted(context: &Context, guard: Option<&Guard>, line: Option<BatchLine>, seen: &Seen) -> Option<Verdict> {
    let marks = guard?.marks.as_ref().filter(|marks| context.run.as_ref() == Some(&marks.run))?;
    let at = line?;
    if let Some(mark) = marks.of(at) {
        return Some(match mark.became {
            _ if mark.waited => Verdict::Pending,
            Some(Became::Corrected) => Verdict::Corrected,
            Some(Became::Withdrawn) => Verdict::Withdrawn,
            _ => Verdict::Posted,
        });
    }
    // It changed nothing; what it was depends on what was there when it came.
    let last = marks.last_before(at);
    let known = last.map_or(marks.before.as_ref(), |mark| Some(&mark.seen))?;
    match seen.version.cmp(&known.version) {
        std::cmp::Ordering::Less => Some(Verdict::Stale),
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Equal if seen.content != known.content => {
            Some(Verdict::Quarantined(Reason::of("conflicting-version")))
        }
        // A repeat of a line that waits ends as that line does.
        std::cmp::Ordering::Equal if last.is_some_and(|mark| mark.waited) => Some(Verdict::Pending),
        std::cmp::Ordering::Equal => Some(Verdict::Unchanged),
    }
}

/// Where a version comes from.
#[derive(Clone, Copy)]
enum Comes<'a> {
    /// A line of the batch.
    In(Option<&'a NamedLine>),
    /// It waited, for its member or its action, since an earlier batch or this one.
    FromWaiting { earlier: bool },
}

impl Comes<'_> {
    /// The marks of a guard when a version has come to this.
    fn marks(self, context: &Context, guard: Option<&Guard>, seen: Seen, became: Option<Became>) -> Option<Marks> {
        match (self, became) {
            (Self::In(line), _) => marked(context, guard, line.map(|line| line.at), seen, became),
            (Self::FromWaiting { earlier }, Some(became)) => {
                let marks = guard.and_then(|guard| guard.marks.clone());
                marks.map(|marks| marks.posted(seen.version, became, earlier))
            }
            (Self::FromWaiting { .. }, None) => guard.and_then(|guard| guard.marks.clone()),
        }
    }
}

/// The marks of a guard with a line that is posted, or kept where `became` is nothing.
fn marked(
    context: &Context,
    guard: Option<&Guard>,
    line: Option<BatchLine>,
    seen: Seen,
    became: Option<Became>,
) -> Option<Marks> {
    let old = guard.and_then(|guard| guard.marks.as_ref());
    let (Some(run), Some(at)) = (&context.run, line) else { return old.cloned() };
    let before = guard.and_then(Guard::newest).map(|(version, hash)| Seen::new(version, hash));
    let mark = Mark { at, seen, waited: became.is_none(), became, released: false };
    Some(Marks::with(old, run, before, mark))
}

#[cfg(test)]
mod tests;

//! Withdrawals: what is in force is reversed, what waits is dropped, and nothing replaces it.

use portal::store::{ActionPlace, Became, Guard, Seen, Subject, WaitingPlace, Waits, Withdrawn};

use super::{
    Blocked, Cause, Comes, Context, Desk, NamedLine, Standing, Verdict, action, counted, entry, standing, waiting,
};
use crate::feed::{Reason, WithdrawalRecord};
use crate::warning::Warning;

/// Entries of the action are in force: they are withdrawn or corrected first.
const IN_USE: Reason = Reason::in_field("action-in-use", "source_key");

pub(super) fn post(
    desk: &mut Desk<'_>,
    context: &Context,
    record: &WithdrawalRecord,
    line: Option<&NamedLine>,
) -> Result<Verdict, Blocked> {
    let guard = desk.guard(&context.source, &record.source_key)?;
    let content_hash = record.content_hash();
    let seen = Seen::new(record.source_version, &content_hash);
    let at = line.map(|line| line.at);
    let jump = guard.as_ref().and_then(|guard| jump_to(guard, record));
    if let Some(refused) = guard.as_ref().and_then(|guard| refuse(guard, record, jump)) {
        return Ok(refused);
    }
    match standing(guard.as_ref(), None, record.source_version, || content_hash.clone()) {
        // A withdrawal is of whatever its key names.
        Standing::New | Standing::Newer | Standing::OfAnotherKind => {}
        _ if jump.is_some() => {}
        Standing::Same => {
            if guard.as_ref().is_some_and(|guard| guard.subject == Subject::Withdrawn(Withdrawn::Nothing)) {
                desk.warn(Warning::WithdrawalOfNothing);
            }
            return Ok(counted(context, guard.as_ref(), at, &seen).unwrap_or(Verdict::Unchanged));
        }
        Standing::Older => return Ok(counted(context, guard.as_ref(), at, &seen).unwrap_or(Verdict::Stale)),
        Standing::Conflicting => return Ok(Verdict::Quarantined(Reason::of("conflicting-version"))),
    }
    let marks = Comes::In(line).marks(context, guard.as_ref(), seen, Some(Became::Withdrawn));
    let mut guard = guard.unwrap_or_else(|| Guard::of_nothing(context.source.clone(), record.source_key.clone()));
    if let Some(void) = record.takes_back.filter(|void| !guard.void.contains(void)) {
        guard.void.push(void);
    }
    let waited = guard.waits.clone();
    waiting::end(desk, Some(&mut guard))?;
    let withdrawn = match guard.subject {
        Subject::Entry { posted, pending } => {
            entry::take_back(desk, context, (&context.source, record), posted.as_ref(), pending.as_ref())?;
            guard.withdrawn_from = posted.map(|place| place.account).or(guard.withdrawn_from);
            Withdrawn::Entry
        }
        Subject::Action(place) => {
            let (source, source_key) = (&context.source, &record.source_key);
            let cause =
                Cause { source, source_key, source_version: record.source_version, batch_id: &context.batch_id };
            if !action::take_back(desk, &cause, &place)? {
                return Ok(Verdict::Quarantined(IN_USE));
            }
            Withdrawn::Action(place)
        }
        Subject::Nothing | Subject::Withdrawn(Withdrawn::Nothing) => waited.map_or(Withdrawn::Nothing, of_waiting),
        Subject::Withdrawn(before) => before,
    };
    if withdrawn == Withdrawn::Nothing {
        desk.warn(Warning::WithdrawalOfNothing);
    }
    desk.set_guard(Guard {
        source_version: record.source_version,
        content_hash,
        moves: 0,
        subject: Subject::Withdrawn(withdrawn),
        in_force: None,
        kept: None,
        jumped_from: None,
        marks,
        ..guard
    });
    Ok(Verdict::Withdrawn)
}

/// The version before the one that a withdrawal takes back by its number, where that is the newest and looked mistyped: it
/// may have a lower version itself, so that others can follow.
fn jump_to(guard: &Guard, record: &WithdrawalRecord) -> Option<u64> {
    let (newest, _) = guard.newest()?;
    guard.jumped_from.filter(|_| record.takes_back == Some(newest))
}

/// The verdict on a withdrawal that names a version and cannot take it back.
fn refuse(guard: &Guard, record: &WithdrawalRecord, jump: Option<u64>) -> Option<Verdict> {
    let void = record.takes_back.filter(|void| !guard.void.contains(void))?;
    let (newest, _) = guard.newest()?;
    if guard.void.len() >= MOST_VOID {
        return Some(Verdict::Quarantined(Reason::in_field("too-many-jumps", "takes_back")));
    }
    match jump {
        // What came before it would be posted again by a late repeat.
        Some(before) if record.source_version <= before => Some(Verdict::Stale),
        None if newest == void => Some(Verdict::Quarantined(Reason::in_field("no-version-jump", "takes_back"))),
        _ => None,
    }
}

/// The most versions of a key that may be taken back by their numbers: each is remembered.
const MOST_VOID: usize = 100;

/// The thing that was withdrawn while its member was awaited.
fn of_waiting(waits: Waits) -> Withdrawn {
    match waits.place {
        WaitingPlace { account, action_id: Some(action_id), is_action: true } => {
            Withdrawn::Action(ActionPlace { account, action_id })
        }
        _ => Withdrawn::Entry,
    }
}

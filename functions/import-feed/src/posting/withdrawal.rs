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
    match standing(guard.as_ref(), None, record.source_version, || content_hash.clone()) {
        // A withdrawal is of whatever its key names.
        Standing::New | Standing::Newer | Standing::OfAnotherKind => {}
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
        marks,
        ..guard
    });
    Ok(Verdict::Withdrawn)
}

/// The thing that was withdrawn while its member was awaited.
fn of_waiting(waits: Waits) -> Withdrawn {
    match waits.place {
        WaitingPlace { account, action_id: Some(action_id), is_action: true } => {
            Withdrawn::Action(ActionPlace { account, action_id })
        }
        _ => Withdrawn::Entry,
    }
}

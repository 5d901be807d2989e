//! The state of an action: new, or in place of the one before.

use portal::store::{
    ActionPlace, ActionState, ActionSums, BatchLine, Became, Guard, Home, Leaving, Move, Seen, Subject,
};

use super::{Blocked, Context, Desk, Standing, Verdict, counted, marked, standing};
use crate::feed::{ActionRecord, Reason};

pub(super) fn post(
    desk: &mut Desk<'_>,
    context: &Context,
    record: &ActionRecord,
    line: Option<BatchLine>,
) -> Result<Verdict, Blocked> {
    let place = ActionPlace { account: record.member_number.clone(), action_id: record.action_id.clone() };
    let guard = desk.guard(&context.source, &record.source_key)?;
    let seen = Seen::new(record.source_version, &record.content_hash());
    let verdict = match standing(guard.as_ref(), true, record.source_version, || record.content_hash()) {
        Standing::New => Verdict::Posted,
        Standing::Newer => Verdict::Corrected,
        Standing::Same => {
            // Brings it into the state, so that what an earlier run left undone is seen.
            desk.action(&place)?;
            return Ok(counted(context, guard.as_ref(), line, &seen).unwrap_or(Verdict::Unchanged));
        }
        Standing::Older => {
            if let Some(Guard { subject: Subject::Action(now), .. }) = &guard {
                point(desk, &place, now)?;
            }
            return Ok(counted(context, guard.as_ref(), line, &seen).unwrap_or(Verdict::Stale));
        }
        Standing::Conflicting => return Ok(Verdict::Quarantined(Reason::of("conflicting-version"))),
        Standing::OfAnotherKind => {
            return Ok(Verdict::Quarantined(Reason::in_field("key-of-another-record", "source_key")));
        }
    };
    let before = match &guard {
        Some(Guard { subject: Subject::Action(before), .. }) => Some(before.clone()),
        _ => None,
    };
    if before.as_ref().is_some_and(|before| before.action_id != place.action_id) {
        return Ok(Verdict::Quarantined(Reason::in_field("renamed-action", "action_id")));
    }
    if before.as_ref() != Some(&place) && desk.action(&place)?.is_some_and(|action| action.is_here()) {
        return Ok(Verdict::Quarantined(Reason::in_field("action-of-another-key", "action_id")));
    }
    let state = ActionState {
        source: context.source.clone(),
        source_key: record.source_key.clone(),
        title: record.title.clone(),
        home: Home { view: context.rule.of_engagement(record.engagement_date), scheme: record.scheme },
        status: record.status,
        engagement_date: record.engagement_date,
    };
    match &before {
        None => arrive(desk, &place, state, None)?,
        Some(before) if *before == place => replace(desk, &place, state)?,
        Some(before) => {
            let leaves_entries = depart(desk, before, &place)?;
            arrive(desk, &place, state, leaves_entries.then_some(before))?;
        }
    }
    let became = if before.is_some() { Became::Corrected } else { Became::Posted };
    desk.set_guard(Guard {
        source: context.source.clone(),
        source_key: record.source_key.clone(),
        source_version: record.source_version,
        content_hash: record.content_hash(),
        moves: 0,
        subject: Subject::Action(place),
        marks: marked(context, guard.as_ref(), line, seen, Some(became)),
        version: guard.map_or(0, |guard| guard.version),
    });
    Ok(verdict)
}

/// An old version that comes late says where the action once was. Entries may name that account, and find
/// their way from there, as if the versions had come in their order.
fn point(desk: &mut Desk<'_>, old: &ActionPlace, now: &ActionPlace) -> Result<(), Blocked> {
    let mut action = desk.action_or_unknown(old)?;
    if old.action_id == now.action_id && old.account != now.account && action.never_came() {
        action.moved_to = Some(now.account.clone());
        desk.set_action(action);
    }
    Ok(())
}

/// An action that an account did not have.
fn arrive(
    desk: &mut Desk<'_>,
    place: &ActionPlace,
    state: ActionState,
    from: Option<&ActionPlace>,
) -> Result<(), Blocked> {
    let mut action = desk.action_or_unknown(place)?;
    if let Some(account) = action.moved_to.take_if(|_| action.entries > 0) {
        // What an action of this name left here goes after it first.
        return Err(Blocked::Unsettled(ActionPlace { account, action_id: place.action_id.clone() }));
    }
    desk.count_action(&place.account, state.home, state.status, 1, Move::default())?;
    action.state = Some(state);
    action.sums = ActionSums::default();
    action.moved_to = None;
    action.coming_from = from.map(|from| from.account.clone());
    desk.set_action(action);
    Ok(())
}

/// The same action with another state. Where its view or scheme changed, its entries are moved after.
fn replace(desk: &mut Desk<'_>, place: &ActionPlace, state: ActionState) -> Result<(), Blocked> {
    let missing = || Blocked::Inconsistent(format!("a guard names an action that is not there: {}", place.action_id));
    let mut action = desk.action(place)?.ok_or_else(missing)?;
    if action.is_moving() {
        return Err(Blocked::Unsettled(place.clone()));
    }
    let old = action.state.replace(state.clone()).ok_or_else(missing)?;
    desk.count_action(&place.account, old.home, old.status, -1, -action.sums.as_move())?;
    if old.home == state.home {
        desk.count_action(&place.account, state.home, state.status, 1, action.sums.as_move())?;
    } else {
        desk.count_action(&place.account, state.home, state.status, 1, Move::default())?;
        if action.entries > 0 {
            // What stays at the old home until it is moved counts under the new status already.
            desk.count_action(&place.account, old.home, state.status, 0, action.sums.as_move())?;
            let (sums, entries) = (std::mem::take(&mut action.sums), std::mem::take(&mut action.entries));
            action.leaving = Some(Leaving { home: old.home, sums, entries });
        }
    }
    desk.set_action(action);
    Ok(())
}

/// Takes an action out of the account that had it; says whether it leaves entries to be moved.
fn depart(desk: &mut Desk<'_>, place: &ActionPlace, target: &ActionPlace) -> Result<bool, Blocked> {
    let missing = || Blocked::Inconsistent(format!("a guard names an action that is not there: {}", place.action_id));
    let mut action = desk.action(place)?.ok_or_else(missing)?;
    if action.is_moving() {
        return Err(Blocked::Unsettled(place.clone()));
    }
    let state = action.state.clone().ok_or_else(missing)?;
    desk.count_action(&place.account, state.home, state.status, -1, Move::default())?;
    action.moved_to = Some(target.account.clone());
    let leaves_entries = action.entries > 0;
    desk.set_action(action);
    Ok(leaves_entries)
}

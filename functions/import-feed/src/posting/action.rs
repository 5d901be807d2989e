//! The state of an action: new, or in place of the one before.

use jiff::civil::Date;
use portal::domain::{ActionStatus, Identifier, Scheme};
use portal::store::{
    ActionChange, ActionPlace, ActionState, ActionSums, Became, Guard, Home, KeyedRecord, Leaving, Measures, Seen,
    Subject, WaitingContent, WaitingPlace, Waits, Withdrawn,
};

use super::{
    Blocked, Cause, Comes, Context, Desk, NamedLine, Standing, Verdict, counted, hashed, jumped_from, standing,
    waiting, warn_of_jump,
};
use crate::feed::{ActionRecord, Reason};

pub(super) fn post(
    desk: &mut Desk<'_>,
    context: &Context,
    record: &ActionRecord,
    line: Option<&NamedLine>,
) -> Result<Verdict, Blocked> {
    let place = ActionPlace { account: record.member_number.clone(), action_id: record.action_id.clone() };
    let mut guard = desk.guard(&context.source, &record.source_key)?;
    let content_hash = record.content_hash();
    let seen = Seen::new(record.source_version, &content_hash);
    let at = line.map(|line| line.at);
    match standing(guard.as_ref(), Some(KeyedRecord::Action), record.source_version, || content_hash.clone()) {
        Standing::New | Standing::Newer => {}
        Standing::Same => {
            let before = counted(context, guard.as_ref(), at, &seen);
            if let Some(guard) = guard
                && let Some(waits) = &guard.waits
            {
                desk.awaited(&waits.place.account, context.now)?;
                waiting::repeat(desk, context, guard, at, seen);
                return Ok(Verdict::Pending);
            }
            // Brings it into the state, so that what an earlier run left undone is seen.
            desk.action(&place)?;
            return Ok(before.unwrap_or(Verdict::Unchanged));
        }
        Standing::Older => {
            let verdict = counted(context, guard.as_ref(), at, &seen).unwrap_or(Verdict::Stale);
            if let Some(now) = guard.as_ref().and_then(Guard::action) {
                point(desk, &place, now)?;
            } else if let Some(mut guard) = guard
                && guard.waits.as_mut().is_some_and(|waits| waits.remember(&place))
            {
                desk.set_guard(guard);
            }
            return Ok(verdict);
        }
        Standing::Conflicting => return Ok(Verdict::Quarantined(Reason::of("conflicting-version"))),
        Standing::OfAnotherKind => {
            return Ok(Verdict::Quarantined(Reason::in_field("key-of-another-record", "source_key")));
        }
    }
    warn_of_jump(desk, guard.as_ref(), record.source_version);
    let described = Described {
        title: record.title.clone(),
        scheme: record.scheme,
        status: record.status,
        engagement_date: record.engagement_date,
    };
    let version = Version {
        source: &context.source,
        source_key: &record.source_key,
        source_version: record.source_version,
        content_hash,
        batch_id: &context.batch_id,
        described,
        comes: Comes::In(line),
    };
    if desk.siret(&place.account)?.is_none() {
        let place = WaitingPlace { account: place.account, action_id: Some(place.action_id), is_action: true };
        let waits = Waits {
            source_version: version.source_version,
            content_hash: version.content_hash,
            place,
            formerly: Vec::new(),
            kept: None,
        };
        waiting::keep(desk, context, guard, &record.source_key, waits, version.described.into(), line)?;
        return Ok(Verdict::Pending);
    }
    let waited = guard.as_ref().and_then(|guard| guard.waits.clone());
    waiting::end(desk, guard.as_mut())?;
    let verdict = put(desk, context, version, guard, place.clone())?;
    point_all(desk, waited, &place)?;
    Ok(verdict)
}

/// Says where an action is now in the places that versions named which were never posted there.
pub(super) fn point_all(desk: &mut Desk<'_>, waited: Option<Waits>, now: &ActionPlace) -> Result<(), Blocked> {
    let Some(Waits { place, formerly, .. }) = waited else { return Ok(()) };
    formerly.iter().chain(place.action().as_ref()).try_for_each(|old| point(desk, old, now))
}

/// What the fund says of an action.
pub(super) struct Described {
    pub(super) title: String,
    pub(super) scheme: Scheme,
    pub(super) status: ActionStatus,
    pub(super) engagement_date: Date,
}

impl From<Described> for WaitingContent {
    fn from(Described { title, scheme, status, engagement_date }: Described) -> Self {
        Self::Action { title, scheme, status, engagement_date }
    }
}

/// A version of an action that is to be its state.
pub(super) struct Version<'a> {
    pub(super) source: &'a Identifier,
    pub(super) source_key: &'a Identifier,
    pub(super) source_version: u64,
    pub(super) content_hash: String,
    /// The batch that it came with.
    pub(super) batch_id: &'a Identifier,
    pub(super) described: Described,
    pub(super) comes: Comes<'a>,
}

/// Makes a version the state of its action, in a known account.
pub(super) fn put(
    desk: &mut Desk<'_>,
    context: &Context,
    version: Version<'_>,
    guard: Option<Guard>,
    place: ActionPlace,
) -> Result<Verdict, Blocked> {
    let before = match &guard {
        Some(Guard { subject: Subject::Action(before), .. }) => Some(before.clone()),
        _ => None,
    };
    if before.as_ref() != Some(&place) && desk.action(&place)?.is_some_and(|action| action.is_here()) {
        return Ok(Verdict::Quarantined(Reason::in_field("action-of-another-key", "action_id")));
    }
    let cause = Cause {
        source: version.source,
        source_key: version.source_key,
        source_version: version.source_version,
        batch_id: version.batch_id,
    };
    let Described { title, scheme, status, engagement_date } = version.described;
    let state = ActionState {
        source: version.source.clone(),
        source_key: version.source_key.clone(),
        title,
        home: Home { view: context.rule.of_engagement(engagement_date), scheme },
        status,
        engagement_date,
    };
    let in_force = hashed(state.fingerprint())?;
    match &before {
        None => arrive(desk, &cause, &place, state, None)?,
        Some(before) if *before == place => replace(desk, &cause, &place, state)?,
        Some(before) => {
            let leaves_entries = depart(desk, &cause, before, &place)?;
            arrive(desk, &cause, &place, state, leaves_entries.then_some(before))?;
        }
    }
    if let Some(Guard { subject: Subject::Withdrawn(Withdrawn::Action(old)), .. }) = &guard {
        // Entries may wait where it was withdrawn.
        point(desk, old, &place)?;
    }
    let (verdict, became) = match before {
        Some(_) => (Verdict::Corrected, Became::Corrected),
        None => (Verdict::Posted, Became::Posted),
    };
    let seen = Seen::new(version.source_version, &version.content_hash);
    let jumped_from = jumped_from(guard.as_ref(), version.source_version);
    desk.set_guard(Guard {
        source: version.source.clone(),
        source_key: version.source_key.clone(),
        source_version: version.source_version,
        marks: version.comes.marks(context, guard.as_ref(), seen, Some(became)),
        content_hash: version.content_hash,
        moves: 0,
        subject: Subject::Action(place),
        in_force: Some(in_force),
        kept: None,
        waits: None,
        left: Vec::new(),
        withdrawn_from: None,
        jumped_from,
        void: guard.as_ref().map(|guard| guard.void.clone()).unwrap_or_default(),
        version: guard.map_or(0, |guard| guard.version),
    });
    Ok(verdict)
}

/// An old version that comes late, or whose member never came, says where the action once was. Entries may name that
/// account or number, and find their way from there, as if the versions had come in their order.
fn point(desk: &mut Desk<'_>, old: &ActionPlace, now: &ActionPlace) -> Result<(), Blocked> {
    let mut action = desk.action_or_unknown(old)?;
    if old != now && action.never_came() {
        action.moved_to = Some(now.clone());
        desk.set_action(action);
    }
    Ok(())
}

/// An action that an account did not have under this number.
fn arrive(
    desk: &mut Desk<'_>,
    cause: &Cause<'_>,
    place: &ActionPlace,
    state: ActionState,
    from: Option<&ActionPlace>,
) -> Result<(), Blocked> {
    let mut action = desk.action_or_unknown(place)?;
    if let Some(now) = action.moved_to.take_if(|_| action.entries > 0) {
        // What an action of this name left here goes after it first.
        return Err(Blocked::Unsettled(now));
    }
    desk.count_action(&place.account, state.home, state.status, 1, Measures::default())?;
    action.state = Some(state);
    action.sums = ActionSums::default();
    action.moved_to = None;
    action.coming_from = from.cloned();
    desk.write_version(&mut action, ActionChange::Added, cause, None)?;
    desk.set_action(action);
    Ok(())
}

/// The same action with another state. Where its view or scheme changed, its entries are moved after.
fn replace(desk: &mut Desk<'_>, cause: &Cause<'_>, place: &ActionPlace, state: ActionState) -> Result<(), Blocked> {
    let missing = || Blocked::Inconsistent(format!("a guard names an action that is not there: {}", place.action_id));
    let mut action = desk.action(place)?.ok_or_else(missing)?;
    if action.is_moving() {
        return Err(Blocked::Unsettled(place.clone()));
    }
    let old = action.state.replace(state.clone()).ok_or_else(missing)?;
    // What is left to pay depends on the status, so the totals move with it.
    desk.count_action(&place.account, old.home, old.status, -1, -action.sums.measures(old.status))?;
    let measures = action.sums.measures(state.status);
    if old.home == state.home {
        desk.count_action(&place.account, state.home, state.status, 1, measures)?;
    } else {
        desk.count_action(&place.account, state.home, state.status, 1, Measures::default())?;
        if action.entries > 0 {
            // What stays at the old home until it is moved counts under the new status already.
            desk.count_action(&place.account, old.home, state.status, 0, measures)?;
            let (sums, entries) = (std::mem::take(&mut action.sums), std::mem::take(&mut action.entries));
            action.leaving = Some(Leaving { home: old.home, sums, entries });
        }
    }
    desk.write_version(&mut action, ActionChange::Changed, cause, Some(old))?;
    desk.set_action(action);
    Ok(())
}

/// Takes an action back that has no entries in force; `false` where it has some. Entries that name it wait from then on.
pub(super) fn take_back(desk: &mut Desk<'_>, cause: &Cause<'_>, place: &ActionPlace) -> Result<bool, Blocked> {
    let missing = || Blocked::Inconsistent(format!("a guard names an action that is not there: {}", place.action_id));
    let mut action = desk.action(place)?.ok_or_else(missing)?;
    if action.is_moving() {
        return Err(Blocked::Unsettled(place.clone()));
    }
    if action.entries > 0 {
        return Ok(false);
    }
    let state = action.state.take().ok_or_else(missing)?;
    desk.count_action(&place.account, state.home, state.status, -1, Measures::default())?;
    desk.write_version(&mut action, ActionChange::Withdrawn, cause, Some(state))?;
    desk.set_action(action);
    Ok(true)
}

/// Takes an action out of the account that had it, or from its number; says whether it leaves entries to be moved.
fn depart(desk: &mut Desk<'_>, cause: &Cause<'_>, place: &ActionPlace, target: &ActionPlace) -> Result<bool, Blocked> {
    let missing = || Blocked::Inconsistent(format!("a guard names an action that is not there: {}", place.action_id));
    let mut action = desk.action(place)?.ok_or_else(missing)?;
    if action.is_moving() {
        return Err(Blocked::Unsettled(place.clone()));
    }
    let state = action.state.clone().ok_or_else(missing)?;
    desk.count_action(&place.account, state.home, state.status, -1, Measures::default())?;
    action.moved_to = Some(target.clone());
    let leaves_entries = action.entries > 0;
    desk.write_version(&mut action, ActionChange::Moved, cause, Some(state))?;
    desk.set_action(action);
    Ok(leaves_entries)
}

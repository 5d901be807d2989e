//! Records that wait for their member: kept, repeated, posted when it comes.

use jiff::Timestamp;
use portal::domain::{Cents, Identifier};
use portal::store::{
    ActionPlace, BatchLine, EntryPlace, Guard, Pending, Seen, Subject, WaitingContent, WaitingRecord, Waits,
};

use super::action::{self, Described};
use super::entry;
use super::{Blocked, Comes, Context, Desk, NamedLine, Verdict, hashed, jumped_from, marked};
use crate::warning::{Particulars, Warning};

/// Keeps a version until its member comes. What it corrects stays in force until then.
pub(super) fn keep(
    desk: &mut Desk<'_>,
    context: &Context,
    mut guard: Option<Guard>,
    source_key: &Identifier,
    mut waits: Waits,
    content: WaitingContent,
    line: Option<&NamedLine>,
) -> Result<(), Blocked> {
    let seen = Seen::new(waits.source_version, &waits.content_hash);
    let marks = marked(context, guard.as_ref(), line.map(|line| line.at), seen, None);
    if let Some(before) = guard.as_ref().and_then(|guard| guard.waits.as_ref()) {
        for place in before.formerly.iter().chain(before.place.action().as_ref()) {
            waits.remember(place);
        }
    }
    let since = since(desk, guard.as_ref())?.unwrap_or(context.now);
    if let WaitingContent::Entry(facts) = &content {
        warn_of_correction(desk, guard.as_ref(), waits.place.action().as_ref(), facts.amount)?;
    }
    let jumped_from = jumped_from(guard.as_ref(), waits.source_version);
    end(desk, guard.as_mut())?;
    let mut awaited = desk.awaited(&waits.place.account, context.now)?;
    awaited.records += 1;
    desk.set_awaited(awaited);
    // The member's item is not there, and must not come in between: whoever makes it looks for what waits.
    desk.demand_unknown(&waits.place.account);
    let record = WaitingRecord {
        place: waits.place.clone(),
        source: context.source.clone(),
        source_key: source_key.clone(),
        source_version: waits.source_version,
        batch_id: context.batch_id.clone(),
        file: line.map(|line| line.file.clone()).unwrap_or_default(),
        line: line.map(|line| line.at.line).unwrap_or_default(),
        content,
        since,
    };
    waits.kept = Some(hashed(record.fingerprint())?);
    desk.keep_waiting(record);
    let guard = guard.unwrap_or_else(|| Guard::of_nothing(context.source.clone(), source_key.clone()));
    desk.set_guard(Guard { waits: Some(waits), jumped_from, marks, ..guard });
    Ok(())
}

/// Since when a version of a key has waited, where one does: the next that waits in its place has done so as long.
pub(super) fn since(desk: &Desk<'_>, guard: Option<&Guard>) -> Result<Option<Timestamp>, Blocked> {
    let Some(guard) = guard else { return Ok(None) };
    let mut since = None;
    if let Some(waits) = &guard.waits {
        let key = WaitingRecord::key_of(&waits.place, &guard.source, &guard.source_key);
        since = desk.waiting_record(&key)?.map(|record| record.since);
    }
    if let Subject::Entry { pending: Some(place), .. } = &guard.subject {
        let pending = desk.pending(&Pending::key_of(place, &guard.source, &guard.source_key))?;
        since = since.into_iter().chain(pending.map(|pending| pending.since)).min();
    }
    Ok(since)
}

/// Warns of a version of an entry that waits for an action, or for its account, while an older one is in force.
pub(super) fn warn_of_correction(
    desk: &mut Desk<'_>,
    guard: Option<&Guard>,
    awaited: Option<&ActionPlace>,
    amount: Cents,
) -> Result<(), Blocked> {
    let Some(Subject::Entry { posted: Some(posted), .. }) = guard.map(|guard| &guard.subject) else { return Ok(()) };
    let EntryPlace { account, .. } = posted;
    let in_force = desk.entry(posted)?;
    let figures = Particulars {
        amount_cents: Some(amount),
        in_force_cents: Some(in_force.facts.amount),
        ..Particulars::default()
    };
    if let Some(awaited) = awaited.filter(|awaited| awaited.account != *account)
        && in_force.action_id.as_ref() == Some(&awaited.action_id)
    {
        let figures = Particulars { account: Some(account.clone()), ..figures.clone() };
        desk.warn(Warning::ActionInAnotherAccount.with(figures));
    }
    desk.warn(Warning::PendingCorrection.with(figures));
    Ok(())
}

/// Marks the first line of a run that repeats what waits: it is the one that the release is counted for.
pub(super) fn repeat(desk: &mut Desk<'_>, context: &Context, mut guard: Guard, line: Option<BatchLine>, seen: Seen) {
    if context.run.is_some() && guard.marks.as_ref().map(|marks| &marks.run) != context.run.as_ref() {
        guard.marks = marked(context, Some(&guard), line, seen, None);
        desk.set_guard(guard);
    }
}

/// Ends that a version waits for its member.
pub(super) fn end(desk: &mut Desk<'_>, guard: Option<&mut Guard>) -> Result<(), Blocked> {
    let Some(guard) = guard else { return Ok(()) };
    let Some(waits) = guard.waits.take() else { return Ok(()) };
    desk.drop_waiting(WaitingRecord::key_of(&waits.place, &guard.source, &guard.source_key));
    if let Some(mut awaited) = desk.awaited_if_any(&waits.place.account)? {
        awaited.records = awaited.records.saturating_sub(1);
        desk.set_awaited(awaited);
    }
    Ok(())
}

/// The guard of a record that still waits.
fn guard_of(desk: &Desk<'_>, record: &WaitingRecord) -> Result<Option<Guard>, Blocked> {
    let guard = desk.guard(&record.source, &record.source_key)?;
    Ok(guard.filter(|guard| {
        let waits = guard.waits.as_ref();
        waits.is_some_and(|waits| waits.source_version == record.source_version && waits.place == record.place)
    }))
}

/// Posts a record that waited, now that its member is there.
pub(super) fn admit(desk: &mut Desk<'_>, context: &Context, record: &WaitingRecord) -> Result<Verdict, Blocked> {
    let Some(mut guard) = guard_of(desk, record)? else {
        // Another run posted it in between, or a newer version took its place.
        return Ok(Verdict::Unchanged);
    };
    if desk.siret(&record.place.account)?.is_none() {
        return Ok(Verdict::Pending);
    }
    let waited = guard.waits.clone();
    let content_hash = waited.as_ref().map(|waits| waits.content_hash.clone()).unwrap_or_default();
    end(desk, Some(&mut guard))?;
    let account = record.place.account.clone();
    let comes = Comes::FromWaiting { earlier: record.batch_id != context.batch_id };
    let (source, source_key, source_version) = (&record.source, &record.source_key, record.source_version);
    match (&record.content, record.place.action_id.clone()) {
        (WaitingContent::Entry(facts), action_id) => {
            let batch_id = &record.batch_id;
            let since = record.since;
            let version =
                entry::Version { source, source_key, source_version, content_hash, batch_id, facts, comes, since };
            entry::put(desk, context, &version, Some(guard), &account, action_id.as_ref())
        }
        (WaitingContent::Action { title, scheme, status, engagement_date }, Some(action_id)) => {
            let (scheme, status, engagement_date) = (*scheme, *status, *engagement_date);
            let described = Described { title: title.clone(), scheme, status, engagement_date };
            let version = action::Version {
                source,
                source_key,
                source_version,
                content_hash,
                batch_id: &record.batch_id,
                described,
                comes,
            };
            let place = ActionPlace { account, action_id };
            let verdict = action::put(desk, context, version, Some(guard), place.clone())?;
            action::point_all(desk, waited, &place)?;
            Ok(verdict)
        }
        (WaitingContent::Action { .. }, None) => {
            Err(Blocked::Inconsistent(format!("an action without a number waits: {source_key}")))
        }
    }
}

/// Takes back that a record came which cannot be posted now that its member is there.
pub(super) fn give_up(desk: &mut Desk<'_>, record: &WaitingRecord) -> Result<(), Blocked> {
    if let Some(mut guard) = guard_of(desk, record)? {
        end(desk, Some(&mut guard))?;
        desk.set_guard(guard);
    }
    Ok(())
}

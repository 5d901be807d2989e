//! Entries: posted, corrected, kept until their action comes, moved with their action.

use jiff::Timestamp;
use portal::domain::{Identifier, MemberNumber, Payee};
use portal::store::{
    Action, ActionPlace, ActionState, Awaits, Became, Entry, EntryFacts, EntryPlace, Fingerprint, Guard, KeyedRecord,
    Pending, Seen, Subject, WaitingContent, WaitingPlace, WaitingRecord, Waits,
};

use super::{
    Blocked, Comes, Context, Desk, MOST_MOVES, NamedLine, Standing, Verdict, counted, jumped_from, standing, waiting,
    warn_of_jump,
};
use crate::feed::{EntryRecord, Reason, WithdrawalRecord};
use crate::warning::{Particulars, Warning};

pub(super) fn post(
    desk: &mut Desk<'_>,
    context: &Context,
    record: &EntryRecord,
    line: Option<&NamedLine>,
) -> Result<Verdict, Blocked> {
    let mut guard = desk.guard(&context.source, &record.source_key)?;
    let hash = record.content_hash();
    let seen = Seen::new(record.source_version, &hash);
    let at = line.map(|line| line.at);
    match standing(guard.as_ref(), Some(KeyedRecord::Entry), record.source_version, || hash.clone()) {
        Standing::New | Standing::Newer => {}
        Standing::Same => {
            let before = counted(context, guard.as_ref(), at, &seen);
            let Some(guard) = guard else { return Ok(Verdict::Unchanged) };
            // Bring it into the state, so that what an earlier run left undone is seen.
            if let Some(waits) = &guard.waits {
                desk.awaited(&waits.place.account, context.now)?;
            } else if let Subject::Entry { pending: Some(place), .. } = &guard.subject {
                if desk.action(place)?.is_some_and(|action| is_of_another(context, &guard.source, &action)) {
                    desk.warn(Warning::ActionOfAnotherSource);
                }
            } else {
                return Ok(before.unwrap_or(Verdict::Unchanged));
            }
            let account = record.member_number.clone();
            let awaited = record.action_id.clone().map(|action_id| ActionPlace { account, action_id });
            waiting::warn_of_correction(desk, Some(&guard), awaited.as_ref(), record.facts.amount)?;
            waiting::repeat(desk, context, guard, at, seen);
            return Ok(Verdict::Pending);
        }
        Standing::Older => return Ok(counted(context, guard.as_ref(), at, &seen).unwrap_or(Verdict::Stale)),
        Standing::Conflicting => return Ok(Verdict::Quarantined(Reason::of("conflicting-version"))),
        Standing::OfAnotherKind => {
            return Ok(Verdict::Quarantined(Reason::in_field("key-of-another-record", "source_key")));
        }
    }
    warn_of_jump(desk, guard.as_ref(), record.source_version);
    if record.facts.amount.0.saturating_abs() >= large_amount(&record.facts) {
        let figures = Particulars { amount_cents: Some(record.facts.amount), ..Particulars::default() };
        desk.warn(Warning::LargeAmount.with(figures));
    }
    let facts = complete(desk, record, guard.as_ref())?;
    let version = Version {
        source: &context.source,
        source_key: &record.source_key,
        source_version: record.source_version,
        content_hash: hash,
        batch_id: &context.batch_id,
        facts: &facts,
        comes: Comes::In(line),
        since: waiting::since(desk, guard.as_ref())?.unwrap_or(context.now),
    };
    if desk.siret(&record.member_number)?.is_none() {
        let (account, action_id) = (record.member_number.clone(), record.action_id.clone());
        let place = WaitingPlace { account, action_id, is_action: false };
        let waits = Waits {
            source_version: version.source_version,
            content_hash: version.content_hash,
            place,
            formerly: Vec::new(),
            kept: None,
        };
        waiting::keep(desk, context, guard, &record.source_key, waits, WaitingContent::Entry(facts), line)?;
        return Ok(Verdict::Pending);
    }
    waiting::end(desk, guard.as_mut())?;
    put(desk, context, &version, guard, &record.member_number, record.action_id.as_ref())
}

/// The amount from which on one is far beyond the usual: of a training action a million euros, of a year's contribution ten.
fn large_amount(facts: &EntryFacts) -> i64 {
    if facts.year.is_some() { 1_000_000_000 } else { 100_000_000 }
}

/// Posts a version of an entry of a known account, or keeps it until its action comes.
pub(super) fn put(
    desk: &mut Desk<'_>,
    context: &Context,
    version: &Version<'_>,
    guard: Option<Guard>,
    account: &MemberNumber,
    action_id: Option<&Identifier>,
) -> Result<Verdict, Blocked> {
    let Some(action_id) = action_id else {
        return replace(desk, context, version, guard, &Target::Contribution(account.clone()));
    };
    let place = ActionPlace { account: account.clone(), action_id: action_id.clone() };
    match desk.action(&place)?.filter(Action::is_here) {
        Some(action) if is_of_another(context, version.source, &action) => {
            desk.warn(Warning::ActionOfAnotherSource);
            keep(desk, context, version, guard, &place, Awaits::Source)?;
        }
        Some(_) => return replace(desk, context, version, guard, &Target::Action(place)),
        None => {
            let place = place_to_wait(desk, place)?;
            keep(desk, context, version, guard, &place, Awaits::Action)?;
        }
    }
    Ok(Verdict::Pending)
}

/// Whether an action is there, and another source sent it whose actions entries of this one may not name: two systems
/// that number their actions alike mean different ones.
fn is_of_another(context: &Context, source: &Identifier, action: &Action) -> bool {
    let of_action = action.state.as_ref().filter(|_| action.is_here()).map(|state| &state.source);
    of_action.is_some_and(|of_action| !context.sources.allows(source, of_action))
}

/// Where an entry waits for its action: where it names it, or where it was withdrawn after it had moved, because
/// whoever posts it again looks there.
///
/// Where the action has moved to another account and is there, this one's item says so, and what waits here is
/// released to that account right after, with that account's SIRET.
fn place_to_wait(desk: &Desk<'_>, named: ActionPlace) -> Result<ActionPlace, Blocked> {
    let mut place = named.clone();
    // Each account was left later than the one before, so this ends; the bound is for what it costs.
    for _ in 0..MOST_MOVES {
        let Some(action) = desk.action(&place)? else { return Ok(named) };
        match action.moved_to {
            Some(now) => place = now,
            None if action.is_here() => return Ok(named),
            None => return Ok(place),
        }
    }
    Err(Blocked::Refused(Reason::in_field("action-moved-too-often", "action_id")))
}

/// The facts of a record; what it leaves unreadable is as the version before had it, posted or waiting.
fn complete(desk: &Desk<'_>, record: &EntryRecord, guard: Option<&Guard>) -> Result<EntryFacts, Blocked> {
    let Some(guard) = guard.filter(|_| !record.unreadable.is_empty()) else { return Ok(record.facts.clone()) };
    let former = if let Some(waits) = &guard.waits {
        desk.waiting_record(&WaitingRecord::key_of(&waits.place, &guard.source, &guard.source_key))?.and_then(
            |waiting| match waiting.content {
                WaitingContent::Entry(facts) => Some(facts),
                WaitingContent::Action { .. } => None,
            },
        )
    } else {
        match &guard.subject {
            Subject::Entry { pending: Some(place), .. } => {
                desk.pending(&Pending::key_of(place, &guard.source, &guard.source_key))?.map(|pending| pending.facts)
            }
            Subject::Entry { posted: Some(place), .. } => Some(desk.entry(place)?.facts),
            Subject::Entry { .. } | Subject::Action(_) | Subject::Nothing | Subject::Withdrawn(_) => None,
        }
    };
    Ok(former.map_or_else(|| record.facts.clone(), |former| record.facts_after(&former)))
}

/// Posts an entry that waited, now that its action is there, or in the account that it has moved to.
pub(super) fn release(
    desk: &mut Desk<'_>,
    context: &Context,
    pending: &Pending,
    target: &ActionPlace,
) -> Result<Verdict, Blocked> {
    let guard = desk.guard(&pending.source, &pending.source_key)?;
    let still_waits = guard.as_ref().is_some_and(|guard| {
        guard.source_version == pending.source_version
            && matches!(&guard.subject, Subject::Entry { pending: Some(place), .. } if *place == pending.place)
    });
    let Some(guard) = guard.filter(|_| still_waits) else {
        // Another run posted it in between.
        return Ok(Verdict::Unchanged);
    };
    let Some(action) = desk.action(target)?.filter(Action::is_here) else { return Ok(Verdict::Pending) };
    if is_of_another(context, &pending.source, &action) {
        if pending.awaits != Awaits::Source {
            desk.warn(Warning::ActionOfAnotherSource);
            let kept = desk.keep_pending(Pending { awaits: Awaits::Source, ..pending.clone() })?;
            desk.set_guard(Guard { kept: Some(kept), ..guard });
        }
        // It goes on waiting.
        return Ok(Verdict::Unchanged);
    }
    let version = Version {
        source: &pending.source,
        source_key: &pending.source_key,
        source_version: pending.source_version,
        content_hash: guard.content_hash.clone(),
        batch_id: &pending.batch_id,
        facts: &pending.facts,
        comes: Comes::FromWaiting { earlier: pending.batch_id != context.batch_id },
        since: pending.since,
    };
    replace(desk, context, &version, Some(guard), &Target::Action(target.clone()))
}

/// Moves an entry to the account, number, view and scheme that its action has now.
pub(super) fn relocate(
    desk: &mut Desk<'_>,
    context: &Context,
    entry: &Entry,
    target: &ActionPlace,
) -> Result<Verdict, Blocked> {
    let guard = desk.guard(&entry.source, &entry.source_key)?;
    let in_force = guard.as_ref().is_some_and(
        |guard| matches!(&guard.subject, Subject::Entry { posted: Some(place), .. } if *place == entry.place()),
    );
    let Some(mut guard) = guard.filter(|_| in_force) else {
        // Reversed meanwhile, or long ago.
        return Ok(Verdict::Unchanged);
    };
    let action = desk.action(target)?.filter(Action::is_here);
    let action = action.ok_or_else(|| Blocked::Inconsistent("entries of an action that is nowhere".to_owned()))?;
    let home = action.state.as_ref().map(|state| state.home);
    let is_there = entry.member_number == target.account
        && entry.action_id.as_ref() == Some(&target.action_id)
        && home.is_some_and(|home| home.view == entry.view && Some(home.scheme) == entry.scheme);
    if is_there {
        return Ok(Verdict::Unchanged);
    }
    desk.write_reversal(entry.reversal(entry.source_version, &context.batch_id, context.now))?;
    desk.move_record(&mut guard, &entry.member_number, &target.account);
    guard.moves += 1;
    let moved = Entry {
        entry_id: Entry::id_of(&entry.source, &entry.source_key, entry.source_version, guard.moves),
        member_number: target.account.clone(),
        action_id: Some(target.action_id.clone()),
        siret: desk.siret_of_ledger(&target.account)?,
        view: home.map_or(entry.view, |home| home.view),
        scheme: home.map(|home| home.scheme),
        posting: 0,
        booked_at: context.now,
        batch_id: context.batch_id.clone(),
        ..entry.clone()
    };
    let pending = match &guard.subject {
        Subject::Entry { pending, .. } => pending.clone(),
        Subject::Action(_) | Subject::Nothing | Subject::Withdrawn(_) => None,
    };
    guard.subject = Subject::Entry { posted: Some(desk.write(moved)?), pending };
    desk.set_guard(guard);
    Ok(Verdict::Posted)
}

/// A version of an entry that is to be in force, or to wait.
pub(super) struct Version<'a> {
    pub(super) source: &'a Identifier,
    pub(super) source_key: &'a Identifier,
    pub(super) source_version: u64,
    pub(super) content_hash: String,
    pub(super) batch_id: &'a Identifier,
    pub(super) facts: &'a EntryFacts,
    pub(super) comes: Comes<'a>,
    /// Since when it waits, if it goes on waiting.
    pub(super) since: Timestamp,
}

impl Version<'_> {
    /// The guard of this version; `moves` belongs to the entry in force, which a waiting one leaves as it is.
    fn guard(
        &self,
        context: &Context,
        before: Option<Guard>,
        moves: u32,
        (subject, in_force): (Subject, Option<Fingerprint>),
        became: Option<Became>,
    ) -> Guard {
        let seen = Seen::new(self.source_version, &self.content_hash);
        Guard {
            source: self.source.clone(),
            source_key: self.source_key.clone(),
            source_version: self.source_version,
            content_hash: self.content_hash.clone(),
            moves,
            subject,
            in_force,
            kept: None,
            jumped_from: match &before {
                // What waited comes to be in force: it is no jump from itself.
                Some(guard) if guard.source_version == self.source_version => guard.jumped_from,
                _ => jumped_from(before.as_ref(), self.source_version),
            },
            void: before.as_ref().map(|guard| guard.void.clone()).unwrap_or_default(),
            marks: self.comes.marks(context, before.as_ref(), seen, became),
            // A newer version may wait for its member while this one is released.
            waits: before.as_ref().and_then(|guard| guard.waits.clone()),
            left: before.as_ref().map(|guard| guard.left.clone()).unwrap_or_default(),
            withdrawn_from: before.as_ref().and_then(|guard| guard.withdrawn_from.clone()),
            version: before.map_or(0, |guard| guard.version),
        }
    }
}

enum Target {
    Action(ActionPlace),
    /// Of this account.
    Contribution(MemberNumber),
}

/// Puts a version in force, in place of the one before where there is one.
fn replace(
    desk: &mut Desk<'_>,
    context: &Context,
    version: &Version<'_>,
    mut guard: Option<Guard>,
    target: &Target,
) -> Result<Verdict, Blocked> {
    let posted = unwait(desk, version, guard.as_ref())?;
    let old = posted.as_ref().map(|place| desk.entry(place)).transpose()?;
    if let Some(old) = &old {
        desk.write_reversal(old.reversal(version.source_version, version.batch_id, context.now))?;
    }
    let (member_number, action_id, view, scheme, title) = match target {
        Target::Action(place) => {
            let state = desk.action(place)?.and_then(|action| action.state);
            let state = state.ok_or_else(|| Blocked::Inconsistent("an action without a state".to_owned()))?;
            let ActionState { title, home, .. } = state;
            (place.account.clone(), Some(place.action_id.clone()), home.view, Some(home.scheme), Some(title))
        }
        Target::Contribution(account) => {
            let year = version.facts.year.unwrap_or_else(|| version.facts.date.year());
            (account.clone(), None, context.rule.of_year(year), None, None)
        }
    };
    if let Some(guard) = &mut guard {
        let withdrawn_from = guard.withdrawn_from.take();
        if let Some(from) = old.as_ref().map(|old| old.member_number.clone()).or(withdrawn_from) {
            desk.move_record(guard, &from, &member_number);
        }
    }
    let came_back_from = side_of_transfer(desk, &member_number, version, old.as_ref())?;
    let entry = Entry {
        entry_id: Entry::id_of(version.source, version.source_key, version.source_version, 0),
        siret: desk.siret_of_ledger(&member_number)?,
        member_number: member_number.clone(),
        action_id,
        view,
        posting: 0,
        scheme,
        facts: version.facts.clone(),
        booked_at: context.now,
        source: version.source.clone(),
        source_key: version.source_key.clone(),
        source_version: version.source_version,
        batch_id: version.batch_id.clone(),
        reverses: None,
        came_back_from,
        title: title.filter(|_| version.facts.transfer(None).is_some()),
    };
    let (verdict, became) = match old {
        Some(_) => (Verdict::Corrected, Became::Corrected),
        None => (Verdict::Posted, Became::Posted),
    };
    let posted = desk.write(entry)?;
    desk.warn_of_transfer(&member_number, version.source, version.facts)?;
    let subject = Subject::Entry { posted: Some(posted), pending: None };
    // What is in force has its hash when it is booked.
    desk.set_guard(version.guard(context, guard, 0, (subject, None), Some(became)));
    Ok(verdict)
}

/// The side that money comes back from where neither kind nor payee says it: that of its transfer as it is known by
/// now, else that of the version before, if that named the same transfer.
fn side_of_transfer(
    desk: &Desk<'_>,
    account: &MemberNumber,
    version: &Version<'_>,
    before: Option<&Entry>,
) -> Result<Option<Payee>, Blocked> {
    let facts = version.facts;
    if !facts.has_side_of_transfer() {
        return Ok(None);
    }
    let before = before.filter(|old| old.member_number == *account && old.transfer() == facts.transfer(None));
    Ok(desk.side_of_transfer(account, version.source, facts)?.or(before.and_then(|old| old.came_back_from)))
}

/// Keeps a version until its action comes, or its source may name it. What it corrects stays in force until then: a reversal
/// without its replacement would make the totals wrong for all that time.
fn keep(
    desk: &mut Desk<'_>,
    context: &Context,
    version: &Version<'_>,
    guard: Option<Guard>,
    place: &ActionPlace,
    awaits: Awaits,
) -> Result<(), Blocked> {
    waiting::warn_of_correction(desk, guard.as_ref(), Some(place), version.facts.amount)?;
    let posted = unwait(desk, version, guard.as_ref())?;
    let kept = desk.keep_pending(Pending {
        place: place.clone(),
        source: version.source.clone(),
        source_key: version.source_key.clone(),
        source_version: version.source_version,
        batch_id: version.batch_id.clone(),
        facts: version.facts.clone(),
        awaits,
        since: version.since,
    })?;
    desk.count_waiting(place, 1)?;
    let moves = guard.as_ref().map_or(0, |guard| guard.moves);
    let in_force = guard.as_ref().and_then(|guard| guard.in_force);
    let subject = Subject::Entry { posted, pending: Some(place.clone()) };
    let guard = version.guard(context, guard, moves, (subject, in_force), None);
    desk.set_guard(Guard { kept: Some(kept), ..guard });
    Ok(())
}

/// Takes back what an older version waited for; gives the entry that is in force.
fn unwait(desk: &mut Desk<'_>, version: &Version<'_>, guard: Option<&Guard>) -> Result<Option<EntryPlace>, Blocked> {
    let Some(Guard { subject: Subject::Entry { posted, pending }, .. }) = guard else { return Ok(None) };
    if let Some(place) = pending {
        end_pending(desk, place, version.source, version.source_key)?;
    }
    Ok(posted.clone())
}

/// Ends that a version waits for its action.
fn end_pending(
    desk: &mut Desk<'_>,
    place: &ActionPlace,
    source: &Identifier,
    source_key: &Identifier,
) -> Result<(), Blocked> {
    desk.drop_pending(Pending::key_of(place, source, source_key));
    desk.count_waiting(place, -1)
}

/// Reverses what is in force of an entry, and drops what waits for its action.
pub(super) fn take_back(
    desk: &mut Desk<'_>,
    context: &Context,
    (source, record): (&Identifier, &WithdrawalRecord),
    posted: Option<&EntryPlace>,
    pending: Option<&ActionPlace>,
) -> Result<(), Blocked> {
    if let Some(place) = pending {
        end_pending(desk, place, source, &record.source_key)?;
    }
    if let Some(place) = posted {
        let entry = desk.entry(place)?;
        desk.write_reversal(entry.reversal(record.source_version, &context.batch_id, context.now))?;
    }
    Ok(())
}

//! Where a job is worked out: reads from the state, collects changes.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use portal::domain::{ActionStatus, Identifier, MemberNumber, Payee, Siret, View};
use portal::store::{
    Account, Action, ActionChange, ActionPlace, ActionState, ActionVersion, AwaitedAction, AwaitedMember, Entry,
    EntryFacts, EntryPlace, Facets, Fingerprint, Guard, Home, Key, Measures, Misposted, Month, Moved, Pending, Record,
    Remittance, Totals, WaitingRecord,
};

use super::{Blocked, Need, State, hashed};
use crate::feed::Reason;
use crate::warning::{Warned, Warning};

/// What a job changes.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub(super) guards: HashMap<Key, Guard>,
    pub(super) actions: HashMap<Key, Action>,
    pub(super) totals: HashMap<Key, Totals>,
    pub(super) facets: HashMap<Key, Facets>,
    pub(super) remittances: HashMap<Key, Remittance>,
    /// Entries to write.
    pub entries: Vec<Entry>,
    /// Versions of actions to write.
    pub(super) versions: Vec<ActionVersion>,
    /// Pending entries to keep, or to delete.
    pub(super) pendings: HashMap<Key, Option<Pending>>,
    /// Awaited actions to keep, or to delete.
    pub(super) awaited_actions: HashMap<Key, Option<AwaitedAction>>,
    pub(super) awaited: HashMap<Key, AwaitedMember>,
    /// Waiting records to keep, or to delete.
    pub(super) waiting: HashMap<Key, Option<WaitingRecord>>,
    /// Marks of records that leave an account, or are back in it.
    pub(super) misposted: HashMap<Key, Misposted>,
    /// Accounts that must not be there.
    pub(super) unknown: HashSet<Key>,
    /// The field that cannot be kept.
    pub ignored: Option<Reason>,
    /// What looks mistaken.
    pub warnings: Vec<Warned>,
}

/// The record that makes a version of an action.
#[derive(Clone, Copy)]
pub(super) struct Cause<'a> {
    pub(super) source: &'a Identifier,
    pub(super) source_key: &'a Identifier,
    pub(super) source_version: u64,
    pub(super) batch_id: &'a Identifier,
}

/// The state, with a job's changes on top.
pub struct Desk<'a> {
    state: &'a State,
    changes: Changes,
}

/// Whether an entry joins or leaves the unreversed ones.
#[derive(Debug, Clone, Copy)]
enum Count {
    Up,
    Down,
}

impl Count {
    fn of(self, number: u32) -> u32 {
        match self {
            Self::Up => number.saturating_add(1),
            Self::Down => number.saturating_sub(1),
        }
    }
}

impl<'a> Desk<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state, changes: Changes::default() }
    }

    /// The changes, without what came out as it was.
    pub(super) fn into_changes(mut self) -> Changes {
        let state = self.state;
        self.changes.actions.retain(|key, action| state.actions.get(key).flatten() != Some(action));
        self.changes.totals.retain(|key, totals| state.totals.get(key).flatten() != Some(totals));
        self.changes.facets.retain(|key, facets| state.facets.get(key).flatten() != Some(facets));
        self.changes
    }

    /// Has the report name the record under this kind of warning.
    pub(super) fn warn(&mut self, warning: impl Into<Warned>) {
        self.changes.warnings.push(warning.into());
    }

    pub(super) fn guard(&self, source: &Identifier, source_key: &Identifier) -> Result<Option<Guard>, Blocked> {
        let key = Guard::key_of(source, source_key);
        if let Some(guard) = self.changes.guards.get(&key) {
            return Ok(Some(guard.clone()));
        }
        let known = self.state.guards.get(&key).ok_or(Blocked::Needs(vec![Need::Guard(key)]))?;
        Ok(known.cloned())
    }

    pub(super) fn set_guard(&mut self, guard: Guard) {
        self.changes.guards.insert(guard.key(), guard);
    }

    /// Marks that the record of a guard is no longer in the account that had it, and that it is in the one that has it now: whose
    /// members alone read its texts.
    pub(super) fn move_record(&mut self, guard: &mut Guard, from: &MemberNumber, to: &MemberNumber) {
        let Guard { source, source_key, .. } = guard;
        let (source, source_key) = (source.clone(), source_key.clone());
        if from == to {
            return;
        }
        if guard.return_to(to) {
            let record = Some((source.clone(), source_key.clone()));
            let mark = Misposted { member_number: to.clone(), record, is_back: true };
            self.changes.misposted.insert(mark.key(), mark);
        }
        if guard.leave(from) {
            for record in [Some((source, source_key)), None] {
                let mark = Misposted { member_number: from.clone(), record, is_back: false };
                self.changes.misposted.insert(mark.key(), mark);
            }
        }
    }

    pub(super) fn action(&self, place: &ActionPlace) -> Result<Option<Action>, Blocked> {
        let key = Action::key_of(&place.account, &place.action_id);
        if let Some(action) = self.changes.actions.get(&key) {
            return Ok(Some(action.clone()));
        }
        let known = self.state.actions.get(&key).ok_or(Blocked::Needs(vec![Need::Action(key)]))?;
        Ok(known.cloned())
    }

    pub(super) fn action_or_unknown(&self, place: &ActionPlace) -> Result<Action, Blocked> {
        let unknown = || Action::unknown(place.account.clone(), place.action_id.clone());
        Ok(self.action(place)?.unwrap_or_else(unknown))
    }

    pub(super) fn set_action(&mut self, action: Action) {
        self.changes.actions.insert(action.key(), action);
    }

    pub(super) fn entry(&self, place: &EntryPlace) -> Result<Entry, Blocked> {
        let key = place.key();
        let known = self.state.entries.get(&key).ok_or_else(|| Blocked::Needs(vec![Need::Entry(key.clone())]))?;
        known
            .cloned()
            .ok_or_else(|| Blocked::Inconsistent(format!("a guard names an entry that is not there: {}", key.sk)))
    }

    /// The establishment of an account, where there is one.
    pub(super) fn siret(&self, account: &MemberNumber) -> Result<Option<Siret>, Blocked> {
        let key = Account::key_of(account);
        let known = self.state.accounts.get(&key).ok_or(Blocked::Needs(vec![Need::Account(key)]))?;
        Ok(known.map(|account| account.siret.clone()))
    }

    /// The establishment of an account that has a ledger, and so is known.
    pub(super) fn siret_of_ledger(&self, account: &MemberNumber) -> Result<Siret, Blocked> {
        let lost = || Blocked::Inconsistent(format!("account {account} has a ledger and no record"));
        self.siret(account)?.ok_or_else(lost)
    }

    /// A pending entry, to read.
    pub(super) fn pending(&self, key: &Key) -> Result<Option<Pending>, Blocked> {
        if let Some(pending) = self.state.pendings.get(key) {
            return Ok(pending.clone());
        }
        let known = self.state.kept_pendings.get(key);
        Ok(known.ok_or_else(|| Blocked::Needs(vec![Need::Pending(key.clone())]))?.cloned())
    }

    /// A waiting record, to read.
    pub(super) fn waiting_record(&self, key: &Key) -> Result<Option<WaitingRecord>, Blocked> {
        if let Some(waiting) = self.state.waiting.get(key) {
            return Ok(waiting.clone());
        }
        let known = self.state.kept_waiting.get(key);
        Ok(known.ok_or_else(|| Blocked::Needs(vec![Need::Waiting(key.clone())]))?.cloned())
    }

    /// An awaited member, from now on where nothing waited for it.
    pub(super) fn awaited(&self, account: &MemberNumber, now: Timestamp) -> Result<AwaitedMember, Blocked> {
        let known = self.awaited_if_any(account)?;
        Ok(known.unwrap_or_else(|| AwaitedMember::of_nothing(account.clone(), now)))
    }

    pub(super) fn awaited_if_any(&self, account: &MemberNumber) -> Result<Option<AwaitedMember>, Blocked> {
        let key = AwaitedMember::key_of(account);
        if let Some(awaited) = self.changes.awaited.get(&key) {
            return Ok(Some(awaited.clone()));
        }
        Ok(self.state.awaited.get(&key).ok_or(Blocked::Needs(vec![Need::Awaited(key)]))?.cloned())
    }

    pub(super) fn set_awaited(&mut self, awaited: AwaitedMember) {
        self.changes.awaited.insert(awaited.key(), awaited);
    }

    pub(super) fn keep_waiting(&mut self, record: WaitingRecord) {
        self.changes.waiting.insert(record.key(), Some(record));
    }

    pub(super) fn drop_waiting(&mut self, key: Key) {
        self.changes.waiting.insert(key, None);
    }

    /// Lets nothing be committed where the account has come.
    pub(super) fn demand_unknown(&mut self, account: &MemberNumber) {
        self.changes.unknown.insert(Account::key_of(account));
    }

    /// Keeps an entry that waits for its action, and returns the hash of its item, for the guard.
    pub(super) fn keep_pending(&mut self, pending: Pending) -> Result<Fingerprint, Blocked> {
        let fingerprint = hashed(pending.fingerprint())?;
        self.changes.pendings.insert(pending.key(), Some(pending));
        Ok(fingerprint)
    }

    /// Counts an entry more, or one less, that waits for an action. The action's own item says that it is waited for, so
    /// whoever makes the action cannot miss it, and it carries the condition for what says so to all.
    pub(super) fn count_waiting(&mut self, place: &ActionPlace, by: i32) -> Result<(), Blocked> {
        let mut action = self.action_or_unknown(place)?;
        action.waiting = action.waiting.saturating_add_signed(by);
        let awaited = (action.waiting > 0).then(|| AwaitedAction { place: place.clone() });
        self.set_action(action);
        self.changes.awaited_actions.insert(AwaitedAction::key_of(place), awaited);
        Ok(())
    }

    pub(super) fn drop_pending(&mut self, key: Key) {
        self.changes.pendings.insert(key, None);
    }

    /// The totals and facets of a view, to change.
    fn view(&mut self, account: &MemberNumber, view: View) -> Result<(&mut Totals, &mut Facets), Blocked> {
        let (totals_key, facets_key) = (Totals::key_of(account, view), Facets::key_of(account, view));
        if !self.changes.totals.contains_key(&totals_key) {
            let (Some(totals), Some(facets)) = (self.state.totals.get(&totals_key), self.state.facets.get(&facets_key))
            else {
                return Err(Blocked::Needs(vec![Need::Totals(totals_key), Need::Facets(facets_key)]));
            };
            let totals = totals.cloned().unwrap_or_else(|| Totals::empty(account.clone(), view));
            let facets = facets.cloned().unwrap_or_else(|| Facets::empty(account.clone(), view));
            self.changes.totals.insert(totals_key.clone(), totals);
            self.changes.facets.insert(facets_key.clone(), facets);
        }
        match (self.changes.totals.get_mut(&totals_key), self.changes.facets.get_mut(&facets_key)) {
            (Some(totals), Some(facets)) => Ok((totals, facets)),
            _ => Err(Blocked::Inconsistent("totals without facets".to_owned())),
        }
    }

    /// Counts actions, and what their figures move by, in the totals and in the facet of a home and status: of these
    /// the totals are always the sum.
    pub(super) fn count_action(
        &mut self,
        account: &MemberNumber,
        home: Home,
        status: ActionStatus,
        actions: i32,
        by: Measures,
    ) -> Result<(), Blocked> {
        let (totals, facets) = self.view(account, home.view)?;
        totals.actions = totals.actions.saturating_add_signed(actions);
        totals.add(home.scheme, by);
        facets.add(home.scheme, status, actions, by);
        Ok(())
    }

    /// Writes what a record did to an action as the next version of it in this account.
    pub(super) fn write_version(
        &mut self,
        action: &mut Action,
        change: ActionChange,
        cause: &Cause<'_>,
        replaced: Option<ActionState>,
    ) -> Result<(), Blocked> {
        let here = change != ActionChange::Moved;
        let version = ActionVersion {
            member_number: action.member_number.clone(),
            action_id: action.action_id.clone(),
            number: action.history.take_number(),
            change,
            source: cause.source.clone(),
            source_key: cause.source_key.clone(),
            source_version: cause.source_version,
            batch_id: cause.batch_id.clone(),
            booked_at: Timestamp::UNIX_EPOCH,
            state: action.state.clone().filter(|_| here),
            replaced,
        };
        for view in version.views() {
            let (totals, facets) = self.view(&version.member_number, view)?;
            totals.versions += 1;
            facets.booked.versions = totals.versions;
        }
        self.changes.versions.push(version);
        Ok(())
    }

    /// Writes an entry that comes to be in force, and returns where it is; where the transfer of which it would be a line
    /// has no room, it is a payment without a transfer.
    pub(super) fn write(&mut self, mut entry: Entry) -> Result<EntryPlace, Blocked> {
        if !self.has_room(&entry)? {
            (entry.facts.remittance, entry.title) = (None, None);
            self.changes.ignored = Some(Reason::in_field("remittance-too-large", "remittance_number"));
        }
        self.count_entry(&entry, Count::Up)?;
        self.append(entry)
    }

    /// Writes the reversal of an entry that was in force.
    pub(super) fn write_reversal(&mut self, reversal: Entry) -> Result<(), Blocked> {
        self.count_entry(&reversal, Count::Down)?;
        self.append(reversal)?;
        Ok(())
    }

    /// Gives an entry the next number of its view; the instant and its place in the chain it gets when it is booked.
    fn append(&mut self, mut entry: Entry) -> Result<EntryPlace, Blocked> {
        let (totals, facets) = self.view(&entry.member_number, entry.view)?;
        entry.posting = totals.chain.take_number();
        facets.booked.postings = entry.posting;
        let place = entry.place();
        self.changes.entries.push(entry);
        Ok(place)
    }

    /// The transfer that an entry of these facts is a line of, as it is known by now; `None` where there is none yet. It may be
    /// large, and is copied only to be changed.
    fn transfer(
        &self,
        account: &MemberNumber,
        source: &Identifier,
        facts: &EntryFacts,
    ) -> Result<Option<&Remittance>, Blocked> {
        let Some(number) = facts.transfer(None) else { return Ok(None) };
        self.transfer_at(&Remittance::key_of(account, source, number))
    }

    fn transfer_at(&self, key: &Key) -> Result<Option<&Remittance>, Blocked> {
        match self.changes.remittances.get(key) {
            Some(changed) => Ok(Some(changed)),
            None => self.state.remittances.get(key).ok_or_else(|| Blocked::Needs(vec![Need::Remittance(key.clone())])),
        }
    }

    /// Whether the transfer of which this would be a line has room for it.
    fn has_room(&self, entry: &Entry) -> Result<bool, Blocked> {
        let known = self.transfer(&entry.member_number, &entry.source, &entry.facts)?;
        Ok(known.is_none_or(|remittance| remittance.has_room(entry.view, &entry.facts)))
    }

    /// The side of the transfer that these facts of a source name, as it is known by now.
    pub(super) fn side_of_transfer(
        &self,
        account: &MemberNumber,
        source: &Identifier,
        facts: &EntryFacts,
    ) -> Result<Option<Payee>, Blocked> {
        Ok(self.transfer(account, source, facts)?.and_then(Remittance::side))
    }

    /// Warns of a line that is in force now where its transfer cannot be one: payments of several days or bank references,
    /// or more that came back than was sent.
    pub(super) fn warn_of_transfer(
        &mut self,
        account: &MemberNumber,
        source: &Identifier,
        facts: &EntryFacts,
    ) -> Result<(), Blocked> {
        let Some(transfer) = self.transfer(account, source, facts)? else { return Ok(()) };
        let Moved { sent, returned } = transfer.moved();
        let warning = if facts.kind.comes_back() {
            (returned.total() > sent.total()).then_some(Warning::ReturnedAboveSent)
        } else {
            transfer.is_of_several().then_some(Warning::TransferOfSeveral)
        };
        warning.into_iter().for_each(|warning| self.warn(warning));
        Ok(())
    }

    fn count_in_remittance(&mut self, entry: &Entry) -> Result<(), Blocked> {
        let Some(number) = entry.transfer() else { return Ok(()) };
        let key = Remittance::key_of(&entry.member_number, &entry.source, number);
        if !self.changes.remittances.contains_key(&key) {
            let empty = || Remittance::empty(entry.member_number.clone(), entry.source.clone(), number.clone());
            let known = self.transfer_at(&key)?.cloned().unwrap_or_else(empty);
            self.changes.remittances.insert(key.clone(), known);
        }
        if let Some(remittance) = self.changes.remittances.get_mut(&key) {
            remittance.count(entry);
        }
        Ok(())
    }

    fn count_entry(&mut self, entry: &Entry, count: Count) -> Result<(), Blocked> {
        let (account, effect, month) = (&entry.member_number, entry.effect(), Month::of(entry.facts.date));
        self.count_in_remittance(entry)?;
        let Some(action_id) = &entry.action_id else {
            let (totals, facets) = self.view(account, entry.view)?;
            totals.contributions = count.of(totals.contributions);
            totals.contributed += effect.contributed;
            totals.add_to_month(month, effect);
            facets.contributions = totals.contributions > 0;
            facets.contributed = totals.contributed;
            return Ok(());
        };
        let inconsistent = || Blocked::Inconsistent(format!("entry {} is of no home of its action", entry.entry_id));
        let mut action = self
            .action(&ActionPlace { account: account.clone(), action_id: action_id.clone() })?
            .ok_or_else(inconsistent)?;
        let (home, status) = match (entry.scheme, &action.state) {
            (Some(scheme), Some(state)) => (Home { view: entry.view, scheme }, state.status),
            _ => return Err(inconsistent()),
        };
        let (sums, entries) = if action.state.as_ref().is_some_and(|state| state.home == home) {
            (&mut action.sums, &mut action.entries)
        } else {
            let leaving = action.leaving.as_mut().filter(|leaving| leaving.home == home).ok_or_else(inconsistent)?;
            (&mut leaving.sums, &mut leaving.entries)
        };
        action.likes.count(entry);
        let before = sums.measures(status);
        *sums = std::mem::take(sums).after(effect, entry.facts.invoice.as_ref());
        *entries = count.of(*entries);
        let by = sums.measures(status) - before;
        action.leaving.take_if(|leaving| leaving.entries == 0);
        let emptied = action.moved_to.clone().filter(|_| action.entries == 0);
        self.set_action(action);
        if let Some(place) = emptied {
            // The last one out, moved or corrected, ends the move.
            let left = ActionPlace { account: account.clone(), action_id: action_id.clone() };
            let mut there = self.action_or_unknown(&place)?;
            if there.coming_from.as_ref() == Some(&left) {
                there.coming_from = None;
                self.set_action(there);
            }
        }
        let (totals, _) = self.view(account, home.view)?;
        totals.entries = count.of(totals.entries);
        totals.add_to_month(month, effect);
        self.count_action(account, home, status, 0, by)
    }
}

//! What the posting rule knows of the ledger, and what it changed.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use portal::domain::{MemberNumber, View};
use portal::store::{
    Account, Action, ActionVersion, AwaitedAction, AwaitedMember, Batch, Booked, Condition, Entry, Facets, Fetched,
    Guard, Key, Misposted, Pending, Record, Remittance, StoreError, Subject, Totals, Transaction, WaitingRecord,
    Wanted,
};

use super::Changes;
use crate::tables::Tables;

/// A record that has to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    /// A guard.
    Guard(Key),
    /// An action.
    Action(Key),
    /// The totals of a view.
    Totals(Key),
    /// The facets of a view.
    Facets(Key),
    /// An entry.
    Entry(Key),
    /// A transfer.
    Remittance(Key),
    /// An account.
    Account(Key),
    /// An awaited member.
    Awaited(Key),
    /// An entry that waits for its action.
    Pending(Key),
    /// A record that waits for its member.
    Waiting(Key),
}

/// A record that is changed only where nobody changed it meanwhile.
pub(super) trait Versioned: Record + Clone {
    /// Its version; 0 where it was never written.
    fn version(&self) -> u64;
    /// Sets its version.
    fn set_version(&mut self, version: u64);
}

macro_rules! versioned {
    ($($record:ty),+) => { $(impl Versioned for $record {
        fn version(&self) -> u64 {
            self.version
        }
        fn set_version(&mut self, version: u64) {
            self.version = version;
        }
    })+ };
}

versioned!(Guard, Action, Totals, Facets, Remittance, AwaitedMember);

/// Records of one kind: those that were read, there or not, and those that were made.
#[derive(Debug, Clone)]
pub(super) struct Shelf<R> {
    records: HashMap<Key, Option<R>>,
    changed: HashSet<Key>,
}

impl<R> Default for Shelf<R> {
    fn default() -> Self {
        Self { records: HashMap::new(), changed: HashSet::new() }
    }
}

impl<R> Shelf<R> {
    /// What is known of a record: nothing, that it is not there, or the record.
    #[must_use]
    pub(super) fn get(&self, key: &Key) -> Option<Option<&R>> {
        self.records.get(key).map(Option::as_ref)
    }

    fn get_mut(&mut self, key: &Key) -> Option<&mut R> {
        self.records.get_mut(key)?.as_mut()
    }

    /// All records that are there.
    pub(super) fn values(&self) -> impl Iterator<Item = &R> {
        self.records.values().flatten()
    }

    /// The records that changed.
    fn changed(&self) -> impl Iterator<Item = &R> {
        self.changed.iter().filter_map(|key| self.records.get(key)?.as_ref())
    }

    /// Another record in place of one that was read.
    fn replace(&mut self, key: &Key, record: Option<R>) {
        if let Some(known) = self.records.get_mut(key) {
            *known = record;
        }
    }

    fn put(&mut self, key: Key, record: R) {
        self.changed.insert(key.clone());
        self.records.insert(key, Some(record));
    }

    fn new_writes<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> usize {
        keys.filter(|key| !self.changed.contains(*key)).count()
    }
}

impl<R: Versioned> Shelf<R> {
    /// Writes what changed, each under the condition that nobody else did; counts the versions up.
    fn write(&mut self, transaction: &mut Transaction) -> Result<(), StoreError> {
        for key in &self.changed {
            let Some(Some(record)) = self.records.get_mut(key) else { continue };
            let version = record.version();
            record.set_version(version + 1);
            let condition = if version == 0 { Condition::Absent } else { Condition::is("version", &version)? };
            transaction.put(record, Some(condition))?;
        }
        self.changed.clear();
        Ok(())
    }
}

impl Shelf<Totals> {
    /// Has the totals that change together say so, by account: whoever reads them sees whether all of it is there.
    fn count_shared(&mut self) {
        let mut views: HashMap<MemberNumber, BTreeSet<View>> = HashMap::new();
        for totals in self.changed() {
            views.entry(totals.member_number.clone()).or_default().insert(totals.view);
        }
        for key in &self.changed {
            let Some(Some(totals)) = self.records.get_mut(key) else { continue };
            if let Some(views) = views.get(&totals.member_number) {
                totals.share_with(views);
            }
        }
    }
}

/// What is known of the ledger, as far as the jobs at hand need it.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(super) guards: Shelf<Guard>,
    pub(super) actions: Shelf<Action>,
    pub(super) totals: Shelf<Totals>,
    pub(super) facets: Shelf<Facets>,
    pub(super) entries: Shelf<Entry>,
    /// The entries that are not booked yet, in the order of their numbers.
    pub(super) unbooked: Vec<Key>,
    /// Versions of actions that were made; none is ever read here.
    pub(super) versions: Shelf<ActionVersion>,
    /// Those that are not booked yet, in the order of their numbers.
    pub(super) unbooked_versions: Vec<Key>,
    pub(super) remittances: Shelf<Remittance>,
    pub(super) pendings: HashMap<Key, Option<Pending>>,
    /// Awaited actions to keep, or to delete.
    pub(super) awaited_actions: HashMap<Key, Option<AwaitedAction>>,
    /// Pending entries as they were read.
    pub(super) kept_pendings: Shelf<Pending>,
    /// The accounts; nobody changes them here.
    pub(super) accounts: Shelf<Account>,
    pub(super) awaited: Shelf<AwaitedMember>,
    pub(super) waiting: HashMap<Key, Option<WaitingRecord>>,
    /// Waiting records as they were read.
    pub(super) kept_waiting: Shelf<WaitingRecord>,
    /// Marks of records that leave an account, or are back in it.
    pub(super) misposted: HashMap<Key, Misposted>,
    /// Accounts that must not be there when this is committed.
    pub(super) unknown: HashSet<Key>,
}

impl State {
    /// Makes it known that an account is there.
    #[cfg(test)]
    pub(super) fn assume_account(&mut self, number: &MemberNumber) {
        let account = Account {
            member_number: number.clone(),
            siret: portal::domain::Siret::parse("53384615000019").unwrap(),
            name: "MARTIN BTP".to_owned(),
            headcount_band: None,
            contact_email: None,
            opened_on: jiff::civil::date(2009, 3, 1),
            closed_on: None,
            version: 1,
            content_hash: String::new(),
            booked_at: jiff::Timestamp::UNIX_EPOCH,
            active: false,
            sirets_before: Vec::new(),
            parked: None,
        };
        self.accounts.records.insert(account.key(), Some(account));
    }

    /// Makes it known that records are not there, as reading an empty table would.
    #[cfg(test)]
    pub(super) fn assume_absent(&mut self, needs: Vec<Need>) {
        for need in needs {
            assert!(!self.knows(&need), "asked for twice: {need:?}");
            match need {
                Need::Guard(key) => drop(self.guards.ask(key)),
                Need::Action(key) => drop(self.actions.ask(key)),
                Need::Totals(key) => drop(self.totals.ask(key)),
                Need::Facets(key) => drop(self.facets.ask(key)),
                Need::Entry(key) => drop(self.entries.ask(key)),
                Need::Remittance(key) => drop(self.remittances.ask(key)),
                Need::Account(key) => drop(self.accounts.ask(key)),
                Need::Awaited(key) => drop(self.awaited.ask(key)),
                Need::Pending(key) => drop(self.kept_pendings.ask(key)),
                Need::Waiting(key) => drop(self.kept_waiting.ask(key)),
            }
        }
    }

    /// The actions that are known.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    /// The accounts whose ledgers the jobs concern: those whose totals are known, and those that guards say something is or
    /// was in, so that a job that was done before names the same ones.
    pub fn ledgers(&self) -> impl Iterator<Item = &MemberNumber> {
        let of_totals = self.totals.values().map(|totals| &totals.member_number);
        of_totals.chain(self.guards.values().flat_map(Guard::accounts))
    }

    /// The accounts that are known and that records wait for.
    pub fn due(&self) -> impl Iterator<Item = &MemberNumber> {
        let awaited = self.awaited.values().filter(|awaited| awaited.records > 0).map(|awaited| &awaited.member_number);
        awaited.filter(|number| self.accounts.get(&Account::key_of(number)).flatten().is_some())
    }

    /// Whether a record was looked for already.
    #[must_use]
    pub fn knows(&self, need: &Need) -> bool {
        match need {
            Need::Guard(key) => self.guards.records.contains_key(key),
            Need::Action(key) => self.actions.records.contains_key(key),
            Need::Totals(key) => self.totals.records.contains_key(key),
            Need::Facets(key) => self.facets.records.contains_key(key),
            Need::Entry(key) => self.entries.records.contains_key(key),
            Need::Remittance(key) => self.remittances.records.contains_key(key),
            Need::Account(key) => self.accounts.records.contains_key(key),
            Need::Awaited(key) => self.awaited.records.contains_key(key),
            Need::Pending(key) => self.kept_pendings.records.contains_key(key),
            Need::Waiting(key) => self.kept_waiting.records.contains_key(key),
        }
    }

    /// The bytes at most of what may be large and would be written with these changes: totals and transfers.
    #[must_use]
    pub fn large_bytes_with(&self, changes: &Changes) -> usize {
        let totals = self.totals.changed().chain(changes.totals.values()).map(Totals::bytes);
        let transfers = self.remittances.changed().chain(changes.remittances.values()).map(Remittance::bytes);
        totals.chain(transfers).sum()
    }

    /// How many writes there would be with these changes.
    #[must_use]
    pub fn writes_with(&self, changes: &Changes) -> usize {
        let new_pendings = changes.pendings.keys().filter(|key| !self.pendings.contains_key(key)).count();
        let actions = changes.awaited_actions.keys().filter(|key| !self.awaited_actions.contains_key(key)).count();
        let remittances = changes.remittances.iter().map(|(key, after)| {
            let counted = self.remittances.changed.contains(key).then(|| self.remittances.get(key)).flatten().flatten();
            items_of(after).saturating_sub(counted.map_or(0, items_of))
        });
        self.writes()
            + remittances.sum::<usize>()
            + self.guards.new_writes(changes.guards.keys())
            + self.actions.new_writes(changes.actions.keys())
            + self.totals.new_writes(changes.totals.keys())
            + self.facets.new_writes(changes.facets.keys())
            + changes.entries.len()
            + changes.versions.len()
            + new_pendings
            + actions
            + self.awaited.new_writes(changes.awaited.keys())
            + changes.waiting.keys().filter(|key| !self.waiting.contains_key(key)).count()
            + changes.misposted.keys().filter(|key| !self.misposted.contains_key(key)).count()
            + changes.unknown.difference(&self.unknown).count()
    }

    /// How many writes there are.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.guards.changed.len()
            + self.actions.changed.len()
            + self.totals.changed.len()
            + self.facets.changed.len()
            + self.entries.changed.len()
            + self.versions.changed.len()
            + self.remittances.changed().map(items_of).sum::<usize>()
            + self.pendings.len()
            + self.awaited_actions.len()
            + self.awaited.changed.len()
            + self.waiting.len()
            + self.misposted.len()
            + self.unknown.len()
    }

    /// Takes changes over; they count in what is planned next.
    pub fn apply(&mut self, changes: Changes) {
        changes.guards.into_iter().for_each(|(key, guard)| self.guards.put(key, guard));
        changes.actions.into_iter().for_each(|(key, action)| self.actions.put(key, action));
        changes.totals.into_iter().for_each(|(key, totals)| self.totals.put(key, totals));
        changes.facets.into_iter().for_each(|(key, facets)| self.facets.put(key, facets));
        changes.remittances.into_iter().for_each(|(key, remittance)| self.remittances.put(key, remittance));
        for entry in changes.entries {
            self.unbooked.push(entry.key());
            self.entries.put(entry.key(), entry);
        }
        for version in changes.versions {
            self.unbooked_versions.push(version.key());
            self.versions.put(version.key(), version);
        }
        self.pendings.extend(changes.pendings);
        self.awaited_actions.extend(changes.awaited_actions);
        changes.awaited.into_iter().for_each(|(key, awaited)| self.awaited.put(key, awaited));
        self.waiting.extend(changes.waiting);
        self.misposted.extend(changes.misposted);
        self.unknown.extend(changes.unknown);
    }

    /// Books what was posted: all of it at one instant, which is now, or later where a view that it goes to was booked to
    /// since. With the instant an entry is whole, so the chain of its view and its guard take its hash here.
    ///
    /// The instant is the last thing that a transaction gets. Whoever changes one of these items next read it after this
    /// was committed, and so has a later one.
    pub(super) fn book(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let unbooked = std::mem::take(&mut self.unbooked);
        let unbooked_versions = std::mem::take(&mut self.unbooked_versions);
        let entries = unbooked.iter().filter_map(|key| self.entries.get(key).flatten());
        let mut views: HashSet<(MemberNumber, View)> =
            entries.map(|entry| (entry.member_number.clone(), entry.view)).collect();
        let versions = unbooked_versions.iter().filter_map(|key| self.versions.get(key).flatten());
        views.extend(versions.flat_map(|version| version.views().map(|view| (version.member_number.clone(), view))));
        let totals =
            views.iter().filter_map(|(account, view)| self.totals.get(&Totals::key_of(account, *view)).flatten());
        // An action may have been in another view before.
        let versions = unbooked_versions.iter().filter_map(|key| self.versions.get(key).flatten());
        let actions = versions.filter_map(|version| {
            let key = Action::key_of(&version.member_number, &version.action_id);
            let at = self.actions.get(&key).flatten()?.changed_at;
            Some(Booked { at, ..Booked::default() })
        });
        let at = Booked::of_all(totals.map(Totals::booked).chain(actions)).next(now);
        for (account, view) in &views {
            if let Some(totals) = self.totals.get_mut(&Totals::key_of(account, *view)) {
                totals.booked_at = Some(at);
            }
            if let Some(facets) = self.facets.get_mut(&Facets::key_of(account, *view)) {
                facets.booked.at = Some(at);
            }
        }
        for key in unbooked {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            entry.booked_at = at;
            let (fingerprint, place) = (entry.fingerprint()?, entry.place());
            let guard = Guard::key_of(&entry.source, &entry.source_key);
            if let Some(totals) = self.totals.get_mut(&Totals::key_of(&entry.member_number, entry.view)) {
                totals.chain.seal(fingerprint);
            }
            if let Some(guard) = self.guards.get_mut(&guard)
                && matches!(&guard.subject, Subject::Entry { posted: Some(posted), .. } if *posted == place)
            {
                guard.in_force = Some(fingerprint);
            }
        }
        for key in unbooked_versions {
            let Some(version) = self.versions.get_mut(&key) else { continue };
            version.booked_at = at;
            let fingerprint = version.fingerprint()?;
            if let Some(action) = self.actions.get_mut(&Action::key_of(&version.member_number, &version.action_id)) {
                action.history.seal(fingerprint);
                action.changed_at = Some(at);
            }
        }
        Ok(())
    }

    /// The transaction that commits all changes, booked now; after it this is the state.
    ///
    /// # Errors
    /// Where a record cannot be an item.
    pub fn transaction(&mut self, now: Timestamp) -> Result<Transaction, StoreError> {
        self.book(now)?;
        let mut transaction = Transaction::new();
        self.guards.write(&mut transaction)?;
        self.actions.write(&mut transaction)?;
        self.totals.count_shared();
        self.totals.write(&mut transaction)?;
        self.facets.write(&mut transaction)?;
        for row in self.remittances.changed().flat_map(Remittance::further_rows) {
            // It belongs to the transfer's own item, which carries the condition.
            transaction.put(&row, None)?;
        }
        self.remittances.write(&mut transaction)?;
        for key in self.entries.changed.drain() {
            if let Some(Some(entry)) = self.entries.records.get(&key) {
                transaction.create(entry)?;
            }
        }
        for key in self.versions.changed.drain() {
            if let Some(Some(version)) = self.versions.records.get(&key) {
                transaction.create(version)?;
            }
        }
        // A pending entry belongs to one guard, which changes with it and carries the condition.
        for (key, pending) in self.pendings.drain() {
            match &pending {
                Some(pending) => transaction.put(pending, None)?,
                None => transaction.delete(key.clone(), None),
            };
            self.kept_pendings.replace(&key, pending);
        }
        for (key, awaited) in self.awaited_actions.drain() {
            match &awaited {
                Some(awaited) => transaction.put(awaited, None)?,
                None => transaction.delete(key, None),
            };
        }
        // So does a waiting record.
        for (key, waiting) in self.waiting.drain() {
            match &waiting {
                Some(waiting) => transaction.put(waiting, None)?,
                None => transaction.delete(key.clone(), None),
            };
            self.kept_waiting.replace(&key, waiting);
        }
        // And a mark of a record: the guard notes which there are.
        for (_, mark) in self.misposted.drain() {
            transaction.put(&mark, None)?;
        }
        self.write_awaited(&mut transaction)?;
        for key in self.unknown.drain() {
            transaction.check(key, Condition::Absent);
        }
        Ok(transaction)
    }

    /// Writes the awaited members that changed; one that nothing waits for any more is deleted.
    fn write_awaited(&mut self, transaction: &mut Transaction) -> Result<(), StoreError> {
        for key in self.awaited.changed.clone() {
            let Some(Some(AwaitedMember { records: 0, version, .. })) = self.awaited.records.get(&key) else {
                continue;
            };
            if *version > 0 {
                transaction.delete(key.clone(), Some(Condition::is("version", version)?));
            }
            self.awaited.records.insert(key.clone(), None);
            self.awaited.changed.remove(&key);
        }
        self.awaited.write(transaction)
    }

    /// Reads records; what is not there is known to be not there.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn load(&mut self, store: &impl Tables, needs: impl IntoIterator<Item = Need>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        let mut wanted = Vec::new();
        for need in needs {
            if self.knows(&need) {
                continue;
            }
            // Marks it as asked for, so that it is asked for once.
            wanted.push(match need {
                Need::Guard(key) => Place::Guard(batch.want(key.clone()), self.guards.ask(key)),
                Need::Action(key) => Place::Action(batch.want(key.clone()), self.actions.ask(key)),
                Need::Totals(key) => Place::Totals(batch.want(key.clone()), self.totals.ask(key)),
                Need::Facets(key) => Place::Facets(batch.want(key.clone()), self.facets.ask(key)),
                Need::Entry(key) => Place::Entry(batch.want(key.clone()), self.entries.ask(key)),
                Need::Remittance(key) => Place::Remittance(batch.want(key.clone()), self.remittances.ask(key)),
                Need::Account(key) => Place::Account(batch.want(key.clone()), self.accounts.ask(key)),
                Need::Awaited(key) => Place::Awaited(batch.want(key.clone()), self.awaited.ask(key)),
                Need::Pending(key) => Place::Pending(batch.want(key.clone()), self.kept_pendings.ask(key)),
                Need::Waiting(key) => Place::Waiting(batch.want(key.clone()), self.kept_waiting.ask(key)),
            });
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut fetched = store.fetch(batch).await?;
        for place in wanted {
            match place {
                Place::Guard(wanted, key) => self.guards.fill(key, &wanted, &mut fetched)?,
                Place::Action(wanted, key) => self.actions.fill(key, &wanted, &mut fetched)?,
                Place::Totals(wanted, key) => self.totals.fill(key, &wanted, &mut fetched)?,
                Place::Facets(wanted, key) => self.facets.fill(key, &wanted, &mut fetched)?,
                Place::Entry(wanted, key) => self.entries.fill(key, &wanted, &mut fetched)?,
                Place::Remittance(wanted, key) => self.remittances.fill(key, &wanted, &mut fetched)?,
                Place::Account(wanted, key) => self.accounts.fill(key, &wanted, &mut fetched)?,
                Place::Awaited(wanted, key) => self.awaited.fill(key, &wanted, &mut fetched)?,
                Place::Pending(wanted, key) => self.kept_pendings.fill(key, &wanted, &mut fetched)?,
                Place::Waiting(wanted, key) => self.kept_waiting.fill(key, &wanted, &mut fetched)?,
            }
        }
        Ok(())
    }
}

enum Place {
    Guard(Wanted<Guard>, Key),
    Action(Wanted<Action>, Key),
    Totals(Wanted<Totals>, Key),
    Facets(Wanted<Facets>, Key),
    Entry(Wanted<Entry>, Key),
    Remittance(Wanted<Remittance>, Key),
    Account(Wanted<Account>, Key),
    Awaited(Wanted<AwaitedMember>, Key),
    Pending(Wanted<Pending>, Key),
    Waiting(Wanted<WaitingRecord>, Key),
}

/// How many items a transfer is written as.
fn items_of(remittance: &Remittance) -> usize {
    remittance.views.len().max(1)
}

impl<R: Record> Shelf<R> {
    fn ask(&mut self, key: Key) -> Key {
        self.records.insert(key.clone(), None);
        key
    }

    fn fill(&mut self, key: Key, wanted: &Wanted<R>, fetched: &mut Fetched) -> Result<(), StoreError> {
        self.records.insert(key, fetched.take(wanted)?);
        Ok(())
    }
}

//! All that waits in the ledger: for its member, for its action, for leave to be posted on it.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    AwaitedAction, AwaitedMember, Awaits, Entry, EntryPlace, Guard, Item, Key, Page, Pending, Query, Store, StoreError,
    Subject, WaitingContent, WaitingRecord, from_item, whole_waiting,
};
use crate::domain::{Cents, EntryKind, Identifier, MemberNumber};

/// The count of accounts that are read beside each other.
const AT_ONCE: usize = 16;

/// The most awaited actions that are remembered; what waits for more is counted all the same.
const MOST_ACTIONS: usize = 100_000;

/// The awaited members and actions, which say in which accounts something waits.
#[derive(Debug, Clone, Default)]
pub struct Awaited {
    /// The members, by their numbers.
    pub members: HashMap<MemberNumber, AwaitedMember>,
    /// The actions of each account.
    pub actions: HashMap<MemberNumber, BTreeSet<Identifier>>,
}

/// The thing that a record waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
    /// Its member account.
    Member,
    /// Its action.
    Action,
    /// Leave to be posted on its action, which another source sent.
    Source,
}

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// Since when a version of its key has waited.
    pub since: Timestamp,
    /// The account that it names.
    pub account: MemberNumber,
    /// The action that it is or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Identifier>,
    /// The thing that it waits for.
    pub waits_for: WaitsFor,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// The system that sent it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Its version there.
    pub source_version: u64,
    /// The kind of the entry; of the state of an action nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryKind>,
    /// The amount, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_cents: Option<Cents>,
    /// The entry that stays in force until it is posted, where it is a correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForce>,
    /// Another account, which has an action of this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_in: Option<MemberNumber>,
}

/// The entry that a waiting record is to correct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// The account in which it is.
    pub account: MemberNumber,
    /// Its action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Identifier>,
    /// Its amount, as it was sent.
    pub amount_cents: Cents,
}

/// All that waits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AllWaits {
    /// The count of records.
    pub records: u64,
    /// The sum of their amounts, as they were sent.
    pub amount_cents: i64,
    /// Since when the first of them has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Those that have waited longest.
    pub oldest: Vec<Wait>,
}

impl Awaited {
    /// The accounts in which something waits.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<MemberNumber> {
        self.members.keys().chain(self.actions.keys()).cloned().collect()
    }
}

impl Wait {
    /// A waiting record as it is stored; nothing of an item that is none, which is for `reconcile` to tell of.
    fn of(item: Item) -> Option<Self> {
        let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
        if sk.starts_with("PENDING#") {
            let pending: Pending = from_item(item).ok()?;
            let waits_for = match pending.awaits {
                Awaits::Action => WaitsFor::Action,
                Awaits::Source => WaitsFor::Source,
            };
            return Some(Self {
                since: pending.since,
                account: pending.place.account,
                action_id: Some(pending.place.action_id),
                waits_for,
                batch_id: pending.batch_id,
                source: pending.source,
                source_key: pending.source_key,
                source_version: pending.source_version,
                kind: Some(pending.facts.kind),
                amount_cents: Some(pending.facts.amount),
                in_force: None,
                action_in: None,
            });
        }
        let record: WaitingRecord = from_item(item).ok()?;
        let facts = match record.content {
            WaitingContent::Entry(facts) => Some(facts),
            WaitingContent::Action { .. } => None,
        };
        Some(Self {
            since: record.since,
            account: record.place.account,
            action_id: record.place.action_id,
            waits_for: WaitsFor::Member,
            batch_id: record.batch_id,
            source: record.source,
            source_key: record.source_key,
            source_version: record.source_version,
            kind: facts.as_ref().map(|facts| facts.kind),
            amount_cents: facts.map(|facts| facts.amount),
            in_force: None,
            action_in: None,
        })
    }

    fn guard(&self) -> Key {
        Guard::key_of(&self.source, &self.source_key)
    }
}

impl AllWaits {
    fn add(&mut self, wait: Wait, most: usize) {
        self.records += 1;
        self.amount_cents = self.amount_cents.saturating_add(wait.amount_cents.unwrap_or_default().0);
        self.since = Some(self.since.map_or(wait.since, |since| since.min(wait.since)));
        self.oldest.push(wait);
        if self.oldest.len() >= 2 * most.max(1) {
            self.trim(most);
        }
    }

    fn trim(&mut self, most: usize) {
        let order = |wait: &Wait| (wait.since, wait.account.clone(), wait.source.clone(), wait.source_key.clone());
        self.oldest.sort_by_key(order);
        self.oldest.truncate(most);
    }
}

impl Store {
    /// The members and actions that something waits for: usually none, which is two reads.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn awaited(&self) -> Result<Awaited, StoreError> {
        let (members, actions) = (AwaitedMember::all(), AwaitedAction::all());
        let (members, places) =
            futures::try_join!(self.query_all::<AwaitedMember>(&members), self.query_all::<AwaitedAction>(&actions))?;
        let members = members.into_iter().map(|awaited| (awaited.member_number.clone(), awaited)).collect();
        let mut actions: HashMap<MemberNumber, BTreeSet<Identifier>> = HashMap::new();
        for AwaitedAction { place } in places {
            actions.entry(place.account).or_default().insert(place.action_id);
        }
        Ok(Awaited { members, actions })
    }

    /// All that waits in these accounts, `most` of the records by name with what each is to correct; and the numbers of
    /// the actions that they are of, with the accounts that are named.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn waits_in(
        &self,
        accounts: impl IntoIterator<Item = MemberNumber>,
        most: usize,
    ) -> Result<(AllWaits, HashMap<Identifier, BTreeSet<MemberNumber>>), StoreError> {
        let (mut waits, mut actions) = (AllWaits::default(), HashMap::<Identifier, BTreeSet<MemberNumber>>::new());
        let queries = accounts.into_iter().map(|account| whole_waiting(&account));
        let mut left: Vec<Query> = queries.collect();
        while !left.is_empty() {
            let pages = stream::iter(std::mem::take(&mut left))
                .map(|query| async move { Ok::<_, StoreError>((self.query_items(&query).await?, query)) });
            let mut pages = pages.buffered(AT_ONCE);
            while let Some((Page { items, next }, query)) = pages.try_next().await? {
                for wait in items.into_iter().filter_map(Wait::of) {
                    if let Some(action_id) = &wait.action_id
                        && (actions.len() < MOST_ACTIONS || actions.contains_key(action_id))
                    {
                        actions.entry(action_id.clone()).or_default().insert(wait.account.clone());
                    }
                    waits.add(wait, most);
                }
                if next.is_some() {
                    left.push(query.after(next));
                }
            }
        }
        waits.trim(most);
        self.fill_in(&mut waits.oldest).await?;
        Ok((waits, actions))
    }

    /// Says of corrections what is in force until they are posted.
    async fn fill_in(&self, waits: &mut [Wait]) -> Result<(), StoreError> {
        let guards = self.fetch_each::<Guard>(waits.iter().map(Wait::guard)).await?;
        let posted = guards.into_iter().map(|guard| match guard.map(|guard| guard.subject) {
            Some(Subject::Entry { posted, .. }) => posted,
            _ => None,
        });
        let posted: Vec<_> = posted.collect();
        let entries = self.fetch_each::<Entry>(posted.iter().flatten().map(EntryPlace::key)).await?;
        let mut entries = entries.into_iter();
        for (wait, _) in waits.iter_mut().zip(&posted).filter(|(_, place)| place.is_some()) {
            wait.in_force = entries.next().flatten().map(|entry| InForce {
                account: entry.member_number,
                action_id: entry.action_id,
                amount_cents: entry.facts.amount,
            });
        }
        Ok(())
    }
}

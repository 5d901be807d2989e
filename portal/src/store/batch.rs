//! Several records in one call, whatever their tables: what lets a signed-in read wait once.

use std::collections::HashMap;
use std::marker::PhantomData;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::{StreamExt as _, TryStreamExt as _};

use super::pauses::Pauses;
use super::record::from_item;
use super::{Item, Key, Record, Store, StoreError};
use crate::environment::rng;

/// DynamoDB's limit for one call.
const MOST_KEYS: usize = 100;

/// How many calls are under way at once: 800 records are one wait, and no more connections are opened than a function has use for.
const CALLS_AT_ONCE: usize = 8;

/// The records that one call shall bring.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) keys: Vec<Key>,
}

/// A place in a batch, typed by what will be there.
#[derive(Debug)]
pub struct Wanted<R> {
    key: Key,
    record: PhantomData<fn() -> R>,
}

/// What a batch brought.
pub struct Fetched {
    pub(super) items: HashMap<Key, Item>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a record.
    pub fn want<R: Record>(&mut self, key: Key) -> Wanted<R> {
        if !self.keys.contains(&key) {
            self.keys.push(key.clone());
        }
        Wanted { key, record: PhantomData }
    }
}

impl Fetched {
    /// The record, where there is one.
    ///
    /// # Errors
    /// Where the item is not such a record.
    pub fn take<R: Record>(&mut self, wanted: &Wanted<R>) -> Result<Option<R>, StoreError> {
        self.items.remove(&wanted.key).map(from_item).transpose()
    }

    /// The records of a list of places, in its order; some of the places may be the same.
    ///
    /// # Errors
    /// Where an item is not such a record.
    pub fn take_each<R: Record + Clone>(&mut self, wanted: &[Wanted<R>]) -> Result<Vec<Option<R>>, StoreError> {
        let mut taken: HashMap<&Key, Option<R>> = HashMap::new();
        let mut records = Vec::with_capacity(wanted.len());
        for place in wanted {
            let record = match taken.get(&place.key) {
                Some(record) => record.clone(),
                None => self.take(place)?,
            };
            taken.insert(&place.key, record.clone());
            records.push(record);
        }
        Ok(records)
    }
}

impl Store {
    /// Brings all records of a batch: one call for each 100, side by side, and more where DynamoDB leaves some for later.
    ///
    /// # Errors
    /// Where the store fails, or leaves all that is left for later for some seconds.
    pub async fn fetch(&self, batch: Batch) -> Result<Fetched, StoreError> {
        let calls: Vec<_> = batch.keys.chunks(MOST_KEYS).map(|keys| self.fetch_up_to_100(keys)).collect();
        let mut calls = futures::stream::iter(calls).buffer_unordered(CALLS_AT_ONCE);
        let mut items = HashMap::with_capacity(batch.keys.len());
        while let Some(brought) = calls.try_next().await? {
            items.extend(brought);
        }
        Ok(Fetched { items })
    }

    /// Reads records of one kind, in the order of their keys: nothing where one is not there, the same twice where a key is.
    ///
    /// # Errors
    /// Where the store fails, or an item is not such a record.
    pub async fn fetch_each<R: Record + Clone>(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Vec<Option<R>>, StoreError> {
        let mut batch = Batch::new();
        let wanted: Vec<_> = keys.into_iter().map(|key| batch.want::<R>(key)).collect();
        self.fetch(batch).await?.take_each(&wanted)
    }

    async fn fetch_up_to_100(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, StoreError> {
        let mut items = HashMap::with_capacity(keys.len());
        let mut wanted: HashMap<String, Vec<Item>> = HashMap::new();
        for key in keys {
            wanted.entry(self.name(key.table)?.to_owned()).or_default().push(key.attributes());
        }
        let mut left = keys.len();
        let mut request = Some(
            wanted
                .into_iter()
                .map(|(table, keys)| {
                    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
                    keys.map(|keys| (table, keys))
                })
                .collect::<Result<HashMap<_, _>, _>>()
                .map_err(|error| StoreError::inconsistent(format!("a batch cannot be built: {error}")))?,
        );
        let mut pauses = Pauses::without_capacity();
        loop {
            let sent = self.client().batch_get_item().set_request_items(request).send().await;
            let output = sent.map_err(|error| StoreError::from_sdk("BatchGetItem", &error))?;
            for (name, found) in output.responses.unwrap_or_default() {
                let table = self.table(&name).ok_or_else(|| StoreError::inconsistent("an answer of another table"))?;
                for item in found {
                    let text = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
                    if let (Some(pk), Some(sk)) = (text("pk"), text("sk")) {
                        items.insert(Key { table, pk, sk }, item);
                    }
                }
            }
            // Not read because of a throttle, or of a megabyte of one partition, or sixteen of all: whatever it is, the
            // rest is asked for after a pause, for as long as a round brings something.
            request = output.unprocessed_keys.filter(|unprocessed| !unprocessed.is_empty());
            let Some(unprocessed) = &request else { return Ok(items) };
            let rest = unprocessed.values().map(|keys| keys.keys().len()).sum();
            if std::mem::replace(&mut left, rest) > rest {
                pauses.begin_again();
            }
            let Some(pause) = pauses.next(&mut rng()) else {
                let code = "unprocessed keys".to_owned();
                return Err(StoreError::Unavailable { operation: "BatchGetItem", code });
            };
            tokio::time::sleep(pause).await;
        }
    }
}

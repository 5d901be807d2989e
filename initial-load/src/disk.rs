//! The tables on this machine's disk: a B-tree file with a bounded cache.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use import_feed::Tables;
use portal::store::{Batch, Fetched, Item, Key, Outcome, Page, Query, StoreError, Table, Transaction};
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, TableDefinition, WriteTransaction,
};

use crate::item_json::{NoItem, from_json, to_json};

/// Items of the members table by partition and sort key, as DynamoDB JSON.
const MEMBERS: Definition = TableDefinition::new("members");
/// Items of the ledger table.
const LEDGER: Definition = TableDefinition::new("ledger");

/// The rest of a share of a table.
type Lane = redb::Range<'static, (&'static str, &'static str), &'static [u8]>;

/// How many shares of a table are written out in turn.
const LANES: u64 = 64;

type Definition = TableDefinition<'static, (&'static str, &'static str), &'static [u8]>;

/// What the file's pages may take of memory. The system keeps more of the file where it has room, and gives
/// that up when somebody needs it.
const CACHE_BYTES: usize = 1024 * 1024;

/// How many items are written between two commits of the file. Pages that an open commit replaced are
/// remembered and used again only after it, so this bounds memory and the file's size, whatever the tree's.
const WRITES_A_COMMIT: usize = 2_000;

/// Why the file did not do what it was asked: no room, no permission, or not what was written.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The file.
    #[error(transparent)]
    File(Box<redb::Error>),
    /// An item.
    #[error(transparent)]
    Item(#[from] NoItem),
    /// An item that is no JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A read or write that the file has no answer to.
    #[error("{0}")]
    Unsupported(&'static str),
}

macro_rules! file_errors {
    ($($error:ty),+) => { $(impl From<$error> for DiskError {
        fn from(error: $error) -> Self {
            Self::File(Box::new(error.into()))
        }
    })+ };
}

file_errors!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::SetDurabilityError
);

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        // Not `Unavailable`: trying a full disk again helps nobody.
        Self::Refused { operation: "work file", code: "disk".to_owned(), message: error.to_string() }
    }
}

/// The tables.
pub struct Disk {
    database: Database,
    open: Mutex<Open>,
}

/// The commit under way.
#[derive(Default)]
struct Open {
    transaction: Option<WriteTransaction>,
    writes: usize,
}

impl Open {
    fn transaction(&mut self, database: &Database) -> Result<&WriteTransaction, DiskError> {
        if self.transaction.is_none() {
            self.transaction = Some(database.begin_write()?);
        }
        self.transaction.as_ref().ok_or(DiskError::Unsupported("no commit is under way"))
    }

    fn commit(&mut self) -> Result<(), DiskError> {
        self.writes = 0;
        self.transaction.take().map_or(Ok(()), |transaction| Ok(transaction.commit()?))
    }
}

fn definition(table: Table) -> Result<Definition, DiskError> {
    match table {
        Table::Members => Ok(MEMBERS),
        Table::Ledger => Ok(LEDGER),
        Table::Identity | Table::Evidence => Err(DiskError::Unsupported("a table that no feed is posted to")),
    }
}

fn read_item(bytes: &[u8]) -> Result<Item, DiskError> {
    Ok(from_json(serde_json::from_slice(bytes)?)?)
}

impl Disk {
    /// Makes empty tables in a file that is not there.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, DiskError> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        let disk = Self { database, open: Mutex::default() };
        {
            let mut open = disk.open();
            let transaction = open.transaction(&disk.database)?;
            transaction.open_table(MEMBERS)?;
            transaction.open_table(LEDGER)?;
        }
        disk.flush()?;
        Ok(disk)
    }

    /// Brings what was written into the file, for [`Disk::spread`] to see.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn flush(&self) -> Result<(), DiskError> {
        self.open().commit()
    }

    /// How many items a table has.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn count(&self, table: Table) -> Result<u64, DiskError> {
        Ok(self.database.begin_read()?.open_table(definition(table)?)?.len()?)
    }

    /// Hands over the items of a table as DynamoDB JSON, one of each of 64 equal shares in turn, so that
    /// neighbours have different partitions: DynamoDB would write those of one account in a row to one machine.
    /// The same table gives the same order.
    ///
    /// # Errors
    /// Where the file cannot be read, and what `each` ends with.
    pub fn spread<E: From<DiskError>>(
        &self,
        table: Table,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut lanes = self.lanes(table)?;
        while !lanes.is_empty() {
            let mut ended = false;
            for lane in &mut lanes {
                match lane.as_mut().and_then(Iterator::next) {
                    Some(row) => each(row.map_err(DiskError::from)?.1.value())?,
                    None => (*lane, ended) = (None, true),
                }
            }
            if ended {
                lanes.retain(Option::is_some);
            }
        }
        Ok(())
    }

    /// The shares of a table.
    fn lanes(&self, table: Table) -> Result<Vec<Option<Lane>>, DiskError> {
        let rows = self.database.begin_read()?.open_table(definition(table)?)?;
        let share = usize::try_from(rows.len()?.div_ceil(LANES)).unwrap_or(usize::MAX).max(1);
        let mut starts: Vec<(String, String)> = Vec::new();
        for row in rows.iter()?.step_by(share) {
            let key = row?.0;
            let (pk, sk) = key.value();
            starts.push((pk.to_owned(), sk.to_owned()));
        }
        let mut lanes = Vec::with_capacity(starts.len());
        for (place, start) in starts.iter().enumerate() {
            let start = (start.0.as_str(), start.1.as_str());
            let lane = match starts.get(place + 1) {
                Some(end) => rows.range(start..(end.0.as_str(), end.1.as_str()))?,
                None => rows.range(start..)?,
            };
            lanes.push(Some(lane));
        }
        Ok(lanes)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // A commit that a panic left half-way is never ended: the panic ends the command.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, DiskError> {
        let mut open = self.open();
        let transaction = open.transaction(&self.database)?;
        let mut items = HashMap::with_capacity(keys.len());
        for table in [Table::Members, Table::Ledger] {
            let mut keys = keys.iter().filter(|key| key.table == table).peekable();
            if keys.peek().is_none() {
                continue;
            }
            let rows = transaction.open_table(definition(table)?)?;
            for key in keys {
                if let Some(found) = rows.get((key.pk.as_str(), key.sk.as_str()))? {
                    items.insert(key.clone(), read_item(found.value())?);
                }
            }
        }
        Ok(items)
    }

    fn page(&self, query: &Query) -> Result<Page<Item>, DiskError> {
        let span = query.span().ok_or(DiskError::Unsupported("a query of an index, or backwards"))?;
        let mut open = self.open();
        let rows = open.transaction(&self.database)?.open_table(definition(span.table)?)?;
        let start = span.after.unwrap_or(span.prefix);
        let mut items = Vec::new();
        for row in rows.range((span.pk, start)..)? {
            let (key, item) = row?;
            let (pk, sk) = key.value();
            if pk != span.pk || !sk.starts_with(span.prefix) {
                break;
            }
            if span.after == Some(sk) {
                continue;
            }
            if span.limit.is_some_and(|limit| items.len() == limit) {
                let key = items.last().map(key_of);
                return Ok(Page { items, next: key });
            }
            items.push(read_item(item.value())?);
        }
        Ok(Page { items, next: None })
    }

    fn write(&self, transaction: &Transaction) -> Result<Outcome, DiskError> {
        let mut open = self.open();
        let file = open.transaction(&self.database)?;
        let (mut members, mut ledger) = (file.open_table(MEMBERS)?, file.open_table(LEDGER)?);
        let read = |key: &Key| {
            let rows = if key.table == Table::Members { &members } else { &ledger };
            let found = rows.get((key.pk.as_str(), key.sk.as_str()))?;
            found.map(|found| read_item(found.value())).transpose()
        };
        let Some(written) = transaction.on::<DiskError>(read)? else { return Ok(Outcome::refused()) };
        let count = written.len();
        for (key, item) in written {
            let rows = match key.table {
                Table::Members => &mut members,
                Table::Ledger => &mut ledger,
                Table::Identity | Table::Evidence => {
                    return Err(DiskError::Unsupported("a table that no feed is posted to"));
                }
            };
            let place = (key.pk.as_str(), key.sk.as_str());
            match item {
                Some(item) => drop(rows.insert(place, serde_json::to_vec(&to_json(&item)?)?.as_slice())?),
                None => drop(rows.remove(place)?),
            }
        }
        drop((members, ledger));
        open.writes += count;
        if open.writes >= WRITES_A_COMMIT {
            open.commit()?;
        }
        Ok(Outcome::Committed)
    }
}

fn key_of(item: &Item) -> Item {
    let part = |name: &str| {
        let value = item.get(name).cloned().unwrap_or_else(|| AttributeValue::S(String::new()));
        (name.to_owned(), value)
    };
    HashMap::from([part("pk"), part("sk")])
}

impl Tables for Disk {
    async fn fetch(&self, batch: Batch) -> Result<Fetched, StoreError> {
        Ok(Fetched::of(self.find(batch.keys())?))
    }

    async fn query_items(&self, query: &Query) -> Result<Page<Item>, StoreError> {
        Ok(self.page(query)?)
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Outcome, StoreError> {
        Ok(self.write(transaction)?)
    }
}

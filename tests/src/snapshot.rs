//! What is in the tables at one moment, to come back to: so that two things can be tried from one beginning.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use portal::store::{Item, Table};

use crate::World;

/// The tables that requests of people write to; the ledger is the import's.
const TABLES: [Table; 3] = [Table::Identity, Table::Members, Table::Evidence];

/// DynamoDB's limit for one `BatchWriteItem`.
const AT_ONCE: usize = 25;

/// Everything in them.
#[derive(Clone, PartialEq)]
pub struct Snapshot(Vec<BTreeMap<(String, String), Item>>);

impl Snapshot {
    /// What is there, once everything written so far has been handled.
    pub async fn of(world: &World) -> Self {
        world.portal.drain().await.expect("the streams");
        let mut tables = Vec::new();
        for table in TABLES {
            let keyed = |item: Item| ((text(&item, "pk"), text(&item, "sk")), item);
            tables.push(world.items(table).await.into_iter().map(keyed).collect());
        }
        Self(tables)
    }

    /// The items of a table.
    ///
    /// # Panics
    /// Where it is not one of those that are kept.
    pub fn items(&self, table: Table) -> impl Iterator<Item = (&(String, String), &Item)> {
        let place = TABLES.iter().position(|kept| *kept == table).expect("a table that is kept");
        self.0[place].iter()
    }

    /// Makes of the tables, in which there is what `now` says, what they were.
    pub async fn restore(&self, world: &World, now: &Self) {
        let client = world.portal.dynamodb().expect("a client");
        for ((table, then), now) in TABLES.iter().zip(&self.0).zip(&now.0) {
            let gone = now.keys().filter(|key| !then.contains_key(*key)).map(|(pk, sk)| {
                let key = HashMap::from([("pk", pk), ("sk", sk)]);
                let key = key.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())));
                let delete = DeleteRequest::builder().set_key(Some(key.collect())).build().expect("a key");
                WriteRequest::builder().delete_request(delete).build()
            });
            let changed = then.iter().filter(|(key, item)| now.get(*key) != Some(item)).map(|(_, item)| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().expect("an item");
                WriteRequest::builder().put_request(put).build()
            });
            let writes: Vec<WriteRequest> = gone.chain(changed).collect();
            for some in writes.chunks(AT_ONCE) {
                let name = world.portal.table(*table).expect("a table");
                let sent = client.batch_write_item().request_items(name, some.to_vec()).send().await;
                let left = sent.expect("a write").unprocessed_items.unwrap_or_default();
                assert!(left.is_empty(), "the engine leaves nothing undone");
            }
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    item[name].as_s().expect("a key").clone()
}

//! Posting against a bare `BatchWriteItem`, and the capacity that an entry takes.

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt as _, TryStreamExt as _};
use harness::{Tap, World};
use local::Options;
use portal::clock::Stopwatch;
use portal::store::{Item, Table};

use crate::feed;
use crate::table::{Row, median};

const ACCOUNTS: u32 = 250;
const ENTRIES_EACH: u32 = 40;
const ROUNDS: usize = 3;
/// What DynamoDB takes in one call, and how many accounts the import has in work at a time.
const ITEMS_IN_A_CALL: usize = 25;
const CALLS_AT_ONCE: usize = 16;

/// Entries a second of the import, as a share of what writing the same items without any rule reaches.
pub(crate) async fn rate() -> Row {
    let (mut posted, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let world = World::empty(Options::default()).await;
        world.import("members", &feed::members(0..ACCOUNTS), "").await;
        let ledger: String = (0..ACCOUNTS).map(|account| feed::ledger(account, ENTRIES_EACH, 4)).collect();
        let stopwatch = Stopwatch::start();
        let report = world.import("ledger", "", &ledger).await;
        posted.push(per_second(stopwatch));
        assert_eq!(report.posted, u64::from(ACCOUNTS * (ENTRIES_EACH + ENTRIES_EACH / feed::OF_AN_ACTION)));
        let items = world.items(Table::Ledger).await;
        bare.push(write_bare(items).await);
    }
    let (posted, bare) = (median(&mut posted), median(&mut bare));
    let mut row = Row::new("posting, entries a second, against a bare BatchWriteItem", posted / bare, "x");
    row.at_least(1.0 / 3.0).note(format!("{posted:.0} against {bare:.0} a second"));
    row
}

async fn write_bare(items: Vec<Item>) -> f64 {
    let world = World::empty(Options::default()).await;
    let (client, table) = (world.portal.dynamodb().expect("a client"), world.portal.table(Table::Ledger).expect("it"));
    let put = |item: &Item| PutRequest::builder().set_item(Some(item.clone())).build().expect("an item");
    let requests: Vec<Vec<_>> = items
        .chunks(ITEMS_IN_A_CALL)
        .map(|chunk| chunk.iter().map(|item| WriteRequest::builder().put_request(put(item)).build()).collect())
        .collect();
    let stopwatch = Stopwatch::start();
    let writes = requests.into_iter().map(|requests| client.batch_write_item().request_items(table, requests).send());
    let answers: Vec<_> =
        futures::stream::iter(writes).buffer_unordered(CALLS_AT_ONCE).try_collect().await.expect("writes");
    let rate = per_second(stopwatch);
    assert!(answers.iter().all(|answer| answer.unprocessed_items().is_none_or(|left| left.is_empty())));
    rate
}

fn per_second(stopwatch: Stopwatch) -> f64 {
    f64::from(ACCOUNTS * ENTRIES_EACH) / stopwatch.elapsed().as_secs_f64()
}

/// Write capacity units for an entry: everything that the import writes, its actions and totals included.
pub(crate) async fn capacity() -> Vec<Row> {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::empty(options).await;
    world.import("members", &feed::members(0..20), "").await;
    let mut rows = Vec::new();
    for (accounts, entries) in [(0..10, 40), (10..20, 400)] {
        tap.take();
        let number = accounts.len();
        let ledger: String = accounts.map(|account| feed::ledger(account, entries, 4)).collect();
        world.import(&format!("ledger-{entries}"), "", &ledger).await;
        let observed = tap.take().of("import-feed");
        let written = observed.capacity(&["TransactWriteItems", "PutItem", "UpdateItem"]);
        #[allow(clippy::cast_precision_loss, reason = "some thousand entries")]
        let each = written / (number as f64 * f64::from(entries));
        let mut row = Row::new(&format!("capacity written for an entry, {entries} an account in a batch"), each, "WCU");
        let of_indexes: f64 = observed.calls.iter().map(|call| call.capacity_of_indexes).sum();
        row.at_most(6.0).note(format!("{:.0} % of it for indexes", of_indexes / written * 100.0));
        rows.push(row);
    }
    rows
}

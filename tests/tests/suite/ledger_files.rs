//! The ledger as files: how many entries a file may have, and how the rest is refused. What is in a file is
//! read by other software in `tests/exports`.

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use harness::{ACCOUNT, Tap, World};
use portal::domain::{Identifier, MemberNumber, View};
use portal::store::{Entry, Item, Table, to_item};

/// As many as DynamoDB takes at once.
const AT_ONCE: usize = 25;

/// The account's entries in the store.
async fn entries(world: &World) -> Vec<Entry> {
    let views = Entry::list_from_latest(&MemberNumber::parse(ACCOUNT).unwrap(), None);
    world.store().query_all::<Entry>(&views).await.unwrap()
}

/// More entries of a view: copies of one that is there, as a feed of so many would take long to post.
async fn add_entries(world: &World, pattern: &Entry, view: &str, number: usize) {
    let mut items: Vec<Item> = Vec::new();
    for n in 0..number {
        let source_key = Identifier::parse(&format!("many-{view}-{n}")).unwrap();
        let entry_id = Entry::id_of(&pattern.source, &source_key, 1, 0);
        let mut entry = Entry { entry_id, source_key, view: View::parse(view).unwrap(), ..pattern.clone() };
        entry.facts.label = format!("{} : la {n}e", "Une parmi beaucoup d’autres, et fort longue ".repeat(20));
        items.push(to_item(&entry).unwrap());
    }
    put(world, &items).await;
}

/// Puts items into the ledger, past the import.
pub(super) async fn put(world: &World, items: &[Item]) {
    let (client, table) = (world.portal.dynamodb().unwrap(), world.portal.table(Table::Ledger).unwrap());
    for items in items.chunks(AT_ONCE) {
        let put = |item: &Item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let writes = client.batch_write_item().request_items(table, items.iter().map(put).collect());
        let output = writes.send().await.unwrap();
        assert!(output.unprocessed_items().is_none_or(std::collections::HashMap::is_empty));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_many_pages_is_one_file_and_one_that_is_too_large_is_to_be_had_view_by_view() {
    const MOST: usize = 2_000;
    let (tap, mut options) = Tap::on_dynamodb().await;
    options.parameters.insert("AnsweredEntries".to_owned(), MOST.to_string());
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let before = entries(&world).await;
    let pattern = before.iter().find(|entry| entry.action_id.is_some()).unwrap();
    // Some 1.6 MB in one view: two pages of it.
    let (first, second) = (1_500, MOST - 1_500 - before.len());
    add_entries(&world, pattern, "2011", first).await;
    add_entries(&world, pattern, "2012", second).await;
    let file = |rest: &str| format!("/api/accounts/{ACCOUNT}/ledger.{rest}");

    // As many as there may be.
    for all in ["csv", "xlsx"] {
        marie.get(&file(all)).await.expect(200);
    }
    let of_2011 = before.iter().filter(|entry| entry.view.year() == 2011).count() + first;
    let (reply, observed) = tap.during(marie.get(&file("csv?view=2011"))).await;
    let reply = reply.expect(200);
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let name = format!("attachment; filename=\"ledger-{ACCOUNT}-2011.csv\"");
    assert_eq!(reply.header("content-disposition"), Some(name.as_str()));
    assert_eq!(reply.text.matches("\r\n").count(), 1 + of_2011, "a heading, and a row an entry");
    // A wait for each megabyte, and none before the caller is known to be let in.
    let observed = observed.of("export-ledger");
    assert_eq!((observed.waits(), observed.all()), (2, 3), "the gate is asked beside the first page");

    // One entry more than there may be, as whatever.
    add_entries(&world, pattern, "2013", 1).await;
    for all in ["csv", "xlsx"] {
        marie.get(&file(all)).await.expect_problem(409, "export-too-large");
        marie.get(&file(&format!("{all}?view=2011"))).await.expect(200);
    }
}

//! The ledger as files: how many entries an answer may have, and how the rest is asked for, made, given and
//! refused. What is in a file is read by other software in `tests/exports`.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use harness::{ACCOUNT, Calls, Held, OTHER_ACCOUNT, PASSWORD, Reply, Tap, Visitor, World, folder_of_workspace};
use http::{Method, StatusCode};
use local::{Options, Service};
use portal::domain::{Cents, Id, Identifier, MemberNumber, View};
use portal::store::{Entry, Export, ExportsUnderWay, Item, Table, Totals, to_item};
use serde_json::{Value, json};

/// As many as DynamoDB takes at once.
const AT_ONCE: usize = 25;

/// The account's entries in the store.
async fn entries(world: &World) -> Vec<Entry> {
    let views = Entry::list_from_latest(&MemberNumber::parse(ACCOUNT).unwrap(), View::LAST, None);
    world.store().query_all::<Entry>(&views).await.unwrap()
}

/// More entries of a view: copies of one that is there, as a feed of so many would take long to post. The totals count
/// them as posted, and not what they move.
async fn add_entries(world: &World, pattern: &Entry, view: &str, number: usize) {
    let mut items: Vec<Item> = Vec::new();
    let (view, account) = (View::parse(view).unwrap(), &pattern.member_number);
    let totals = world.store().get::<Totals>(&Totals::key_of(account, view)).await.unwrap();
    let mut totals = totals.unwrap_or_else(|| Totals::empty(account.clone(), view));
    for n in 0..number {
        let source_key = Identifier::parse(&format!("many-{view}-{n}")).unwrap();
        let entry_id = Entry::id_of(&pattern.source, &source_key, 1, 0);
        let posting = totals.chain.take_number();
        let mut entry = Entry { entry_id, source_key, view, posting, ..pattern.clone() };
        entry.facts.label = format!("{} : la {n}e", "Une parmi beaucoup d’autres, et fort longue ".repeat(20));
        items.push(to_item(&entry).unwrap());
    }
    items.push(to_item(&totals).unwrap());
    put(world, &items).await;
}

/// An entry of a view that counts in no total, past the import.
pub(super) async fn add_what_no_total_has(world: &World, view: &str) {
    let pattern = entries(world).await.into_iter().find(|entry| entry.effect().committed.0 != 0).unwrap();
    add_entries(world, &pattern, view, 1).await;
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
    let (tap, mut options) = Tap::on_dynamodb();
    options.parameters.insert("AnsweredEntries".to_owned(), MOST.to_string());
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let before = entries(&world).await;
    // Of no amount, so that the totals are theirs too.
    let mut pattern = before.iter().find(|entry| entry.action_id.is_some()).unwrap().clone();
    pattern.facts.amount = Cents::ZERO;
    let pattern = &pattern;
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
    assert_eq!((observed.waits(), observed.all()), (2, 4), "gate and totals are asked beside the first page");

    // One entry more than there may be, as whatever.
    add_entries(&world, pattern, "2013", 1).await;
    for all in ["csv", "xlsx"] {
        marie.get(&file(all)).await.expect_problem(409, "export-too-large");
        marie.get(&file(&format!("{all}?view=2011"))).await.expect(200);
    }
}

/// Posts an entry of a view.
pub(super) async fn post_one(world: &World, view: &str) {
    let record = json!({"record": "entry", "source_key": "N-1", "source_version": 1, "member_number": ACCOUNT,
        "action_id": format!("{view}-000001"), "kind": "COMMITMENT", "amount_cents": 100,
        "effective_date": format!("{view}-12-31"), "label": "Écriture"});
    world.import("2012-11-15-001", "", &format!("{record}\n")).await;
}

/// Totals of after a posting beside entries of before it: all is read anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_read_while_the_ledger_is_posted_to_adds_up() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let file = format!("/api/accounts/{ACCOUNT}/ledger.csv?view=2011");
    let rows = |reply: Reply| reply.expect(200).text.matches("\r\n").count();
    let before = rows(marie.get(&file).await);
    let totals = Calls::queries_of("export-ledger", "TOTALS#");
    let (reply, ()) = held.between(totals, marie.get(&file), post_one(&world, "2011")).await;
    assert_eq!(rows(reply), before + 1);
    // What adds up to nothing that the portal shows is given to nobody.
    add_what_no_total_has(&world, "2011").await;
    marie.get(&file).await.expect_problem(503, "try-again");
}

const EXPORTS: &str = "/api/accounts/012345/exports";

/// Asks for an export, and gives where to poll for it.
async fn ask(visitor: &Visitor, export: &Value) -> String {
    let asked = visitor.post(EXPORTS, export).await.expect(202);
    format!("{EXPORTS}/{}", asked["id"].as_str().unwrap())
}

/// The same when `write-export` has seen it.
pub(super) async fn asked(world: &World, visitor: &Visitor, export: &Value) -> String {
    let export = ask(visitor, export).await;
    world.portal.drain().await.unwrap();
    export
}

/// What is behind a link, for whoever has it.
pub(super) async fn download(reply: &Reply) -> (String, Vec<u8>) {
    let file = reqwest::get(reply["url"].as_str().unwrap()).await.unwrap().error_for_status().unwrap();
    let name = file.headers()["content-disposition"].to_str().unwrap().to_owned();
    (name, file.bytes().await.unwrap().to_vec())
}

/// Options for a portal one function of which meets a bucket that takes nothing. Others find the real one.
pub(super) async fn without_bucket(without: &'static str) -> Options {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nothing = format!("http://{}", listener.local_addr().unwrap());
    let refuses = axum::Router::new().fallback(|| async { StatusCode::FORBIDDEN });
    tokio::spawn(async move { axum::serve(listener, refuses).await });
    let endpoints = move |function: &str, service: Service, real: &str| {
        if (function, service) == (without, Service::S3) { nothing.clone() } else { real.to_owned() }
    };
    Options { endpoints: Some(Arc::new(endpoints)), ..Options::default() }
}

async fn under_way(world: &World) -> usize {
    let key = ExportsUnderWay::key_of(&MemberNumber::parse(ACCOUNT).unwrap());
    let under_way = world.store().get::<ExportsUnderWay>(&key).await.unwrap();
    under_way.map_or(0, |under_way| under_way.exports.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_asked_for_is_the_file_that_an_answer_would_be() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for (view, query, name) in [(json!(2012), "?view=2012", "ledger-012345-2012"), (Value::Null, "", "ledger-012345")] {
        let export = asked(&world, &marie, &json!({"format": "csv", "view": view})).await;
        let ready = marie.get(&export).await.expect(200);
        assert_eq!(ready["state"], "ready");
        let (disposition, bytes) = download(&ready).await;
        assert_eq!(disposition, format!("attachment; filename=\"{name}.csv\""));
        let answered = marie.get(&format!("/api/accounts/{ACCOUNT}/ledger.csv{query}")).await.expect(200);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, answered.text);
        assert_eq!(text.matches('\u{feff}').count(), 1, "by which a spreadsheet knows UTF-8");
    }
    let export = asked(&world, &marie, &json!({"format": "xlsx", "view": "2011"})).await;
    let (disposition, bytes) = download(&marie.get(&export).await.expect(200)).await;
    assert_eq!(disposition, "attachment; filename=\"ledger-012345-2011.xlsx\"");
    assert!(bytes.starts_with(b"PK"), "an archive");
    assert_eq!(under_way(&world).await, 0, "all are done with");

    for (body, errors) in [
        (json!({}), vec!["format:required"]),
        (
            json!({"format": "pdf", "view": "11", "more": 1}),
            vec!["format:bad-format", "view:bad-view", "more:unknown-field"],
        ),
        (json!({"format": "csv", "view": 20110}), vec!["view:bad-view"]),
        (json!({"format": "csv", "view": [2011]}), vec!["view:bad-view"]),
    ] {
        assert_eq!(marie.post(EXPORTS, &body).await.expect(422).errors(), errors, "{body}");
    }

    // A link that was changed opens nothing, and after a day there is none.
    let ready = marie.get(&export).await.expect(200);
    let forged = ready["url"].as_str().unwrap().replace("ledger-012345-2011", "ledger-012345-2012");
    assert_eq!(reqwest::get(forged).await.unwrap().status(), 403);
    world.advance(Export::KEPT);
    let later = world.visitor();
    later.log_in("marie@martin.example", PASSWORD).await.expect(200);
    later.get(&export).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_alone_gets_a_link_and_only_while_they_may_read_the_account() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    let users = format!("/api/accounts/{ACCOUNT}/users");
    marie.post(&users, &json!({"email": "paul@martin.example"})).await.expect(202);
    // Asking opens what one was invited to, as a read does.
    let export = asked(&world, &paul, &json!({"format": "csv"})).await;
    paul.get(&export).await.expect(200);
    marie.get(&export).await.expect_problem(404, "not-found");
    paul.get(&export.replace(ACCOUNT, OTHER_ACCOUNT)).await.expect_problem(404, "not-found");
    paul.get(&format!("{EXPORTS}/none")).await.expect_problem(404, "not-found");
    world.visitor().get(&export).await.expect_problem(401, "authentication-required");

    // Revoked between asking and polling; the file is made all the same, and nobody gets it.
    let second = ask(&paul, &json!({"format": "csv"})).await;
    let listed = marie.get(&users).await.expect(200);
    let id =
        listed["users"].as_array().unwrap().iter().find(|user| user["email"] == "paul@martin.example").unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
    marie.delete(&format!("{users}/{id}")).await.expect(204);
    world.portal.drain().await.unwrap();
    for export in [&export, &second] {
        paul.get(export).await.expect_problem(404, "not-found");
    }
    // NON closes it for the manager too.
    let own = asked(&world, &marie, &json!({"format": "csv"})).await;
    marie.get(&own).await.expect(200);
    marie.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": false})).await.expect(200);
    marie.get(&own).await.expect_problem(409, "account-not-activated");
    marie.post(EXPORTS, &json!({"format": "csv"})).await.expect_problem(409, "account-not-activated");

    // Who is erased leaves none.
    let id = paul.id().await;
    paul.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
    assert!(world.store().query_all::<Export>(&Export::all_of(id)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_three_exports_under_way_and_room_again_after_an_hour() {
    let world = World::start_with(without_bucket("write-export").await).await;
    let marie = world.manager("marie@martin.example").await;
    let store = world.store();
    let mut three = ExportsUnderWay::none(MemberNumber::parse(ACCOUNT).unwrap());
    for n in 0..3 {
        three.begin(Id::from_bytes([n; 16]), world.portal.clock().now()).unwrap();
    }
    store.put(&ExportsUnderWay { version: 1, ..three }).await.unwrap();
    let reply = marie.post(EXPORTS, &json!({"format": "csv"})).await.expect_problem(429, "too-many-attempts");
    assert_eq!(reply.header("retry-after"), Some("60"));
    world.advance(Duration::from_secs(3600));
    marie.refresh().await.expect(200);

    // The bucket takes nothing: three attempts, and room for others again.
    let export = asked(&world, &marie, &json!({"format": "xlsx"})).await;
    let failed = marie.get(&export).await.expect(200);
    assert_eq!((failed["state"].as_str(), failed["url"].as_str()), (Some("failed"), None));
    let stored = store.query_all::<Export>(&Export::all_of(marie.id().await)).await.unwrap();
    assert_eq!((stored.len(), stored[0].attempts), (1, Export::MOST_ATTEMPTS));
    assert_eq!(under_way(&world).await, 0);
    assert!(world.portal.dead_letters().is_empty(), "that it failed is written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_add_up_is_given_to_nobody_and_one_that_is_ready_is_not_made_again() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let ready = asked(&world, &marie, &json!({"format": "csv", "view": 2011})).await;
    let (_, before) = download(&marie.get(&ready).await.expect(200)).await;

    add_what_no_total_has(&world, "2012").await;
    let failed = asked(&world, &marie, &json!({"format": "csv", "view": 2012})).await;
    assert_eq!(marie.get(&failed).await.expect(200)["state"], "failed");

    // The stream brings a record again.
    let id = ready.rsplit_once('/').unwrap().1;
    let event = std::fs::read_to_string(folder_of_workspace().join("events/write-export.json")).unwrap();
    let mut event: Value = serde_json::from_str(&event).unwrap();
    event["Records"][0]["dynamodb"]["Keys"] = json!({
        "pk": {"S": format!("USER#{}", marie.id().await)},
        "sk": {"S": format!("EXPORT#{id}")},
    });
    let outcome = world.portal.invoke("write-export", event).await.unwrap();
    assert_eq!(outcome, json!({"batchItemFailures": []}));
    assert_eq!(download(&marie.get(&ready).await.expect(200)).await.1, before);
}

/// A correction of a day moves no sum. Where one half of it is read without the other, the same attempt reads again.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_moves_no_sum_costs_an_export_no_attempt() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    // Some 1.2 MB of one day, so that what comes before it is on one page and what comes after it on the next.
    let mut pattern = entries(&world).await.into_iter().find(|entry| entry.action_id.is_some()).unwrap();
    pattern.facts.amount = Cents::ZERO;
    pattern.facts.date = jiff::civil::date(2012, 7, 15);
    add_entries(&world, &pattern, "2012", 1_200).await;
    let record = |version: u64, day: &str| {
        let record = json!({"record": "entry", "source_key": "N-1", "source_version": version,
            "member_number": ACCOUNT, "action_id": "2012-000001", "kind": "COMMITMENT", "amount_cents": 100,
            "effective_date": format!("2012-07-{day}"), "label": "Écriture"});
        format!("{record}\n")
    };
    world.import("2012-11-15-001", "", &record(1, "01")).await;

    let pages = Calls::queries_of("write-export", "ENTRY#2012");
    let correct = async { world.import("2012-11-15-002", "", &record(2, "31")).await };
    let whole = json!({"format": "csv", "view": 2012});
    let (export, report) = held.behind(1, pages, asked(&world, &marie, &whole), correct).await;
    assert_eq!(report.expect("a second page").corrected, 1);
    let ready = marie.get(&export).await.expect(200);
    assert_eq!(ready["state"], "ready");
    let stored = world.store().query_all::<Export>(&Export::all_of(marie.id().await)).await.unwrap();
    assert_eq!(stored[0].attempts, 1);
    let (_, bytes) = download(&ready).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches(";N-1;").count(), 3, "what was wrong, its reversal, what replaced it");
}

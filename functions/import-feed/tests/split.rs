//! Large batches: cut into shards, posted through tasks, on the embedded engine and the real S3 client.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;
mod support;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use import_feed::{Bounds, Function};
use jiff::{SignedDuration, Timestamp};
use portal::clock::Clock;
use portal::domain::{Identifier, MemberNumber};
use portal::invocation::Invocation;
use portal::lambda::EventFunction as _;
use portal::log::Line;
use portal::store::{EntryPlace, Guard, Item, Subject, Table};
use serde_json::{Value, json};

use cut::Cut;
use support::{Batch, Fund, action, entry, member, withdrawal};

const SIRETS: [(&str, &str); 4] = [
    ("012345", "53384615000019"),
    ("630378", "53384615000027"),
    ("248411", "53384615000035"),
    ("700001", "53384615000043"),
];

/// Everything is large, and parts are of a few lines.
const SMALL_PARTS: Bounds = Bounds { above: 0, part: 1_500, memory: 3_000 };

/// A fund whose queue nobody reads: the test hands the tasks over itself.
async fn unread() -> Fund {
    Fund::with(Clock::system(), &[("ImportWorkers", "0")]).await
}

fn members(id: &str) -> Batch {
    SIRETS.iter().fold(Batch::new(id), |batch, (number, siret)| batch.member(number, siret, 1))
}

/// Of each kind of line some, over four accounts; nothing moves from one account to another.
fn mixed(id: &str) -> Batch {
    let mut batch = Batch::new(id);
    for round in 0..12_i64 {
        for (number, _) in SIRETS {
            let id = |n: i64| format!("{number}-{n}");
            // Its action comes later, and of every fourth never.
            let waiting = entry(&format!("W-{number}-{round}"), 1, number, &id(round + 2), "COMMITMENT", 500 + round);
            batch = batch.record(&waiting);
            if round % 4 != 1 {
                let key = format!("A-{number}-{round}");
                batch = batch.record(&action(&key, 1, number, &id(round), "COMMITTED", "2011-11-30"));
            }
            let key = format!("E-{number}-{}", round / 2);
            let version = 1 + u64::try_from(round % 2).unwrap();
            let invoiced = entry(&key, version, number, &id(0), "INVOICE_RECEIVED", 100 + round);
            batch = batch.record(&invoiced);
            if round % 3 == 0 {
                // Twice, waiting or posted.
                batch = batch.record(&waiting).record(&invoiced);
            }
            if round % 5 == 2 {
                batch = batch.record(&entry(&key, 1, number, &id(0), "INVOICE_RECEIVED", 77)).line("not json");
                batch = batch.record(&entry("U-1", 1, "999999", "x", "COMMITMENT", 9_000));
                let key = format!("A-{number}-0");
                batch = batch.record(&action(
                    &key,
                    2 + u64::try_from(round).unwrap(),
                    number,
                    &id(0),
                    "INVOICED",
                    "2011-12-01",
                ));
            }
        }
    }
    for (number, _) in SIRETS {
        // In force, waiting for its action, known by nobody; sent again, and an old version of the first.
        for key in [format!("E-{number}-0"), format!("W-{number}-11"), format!("N-{number}"), format!("E-{number}-0")] {
            batch = batch.record(&withdrawal(&key, 40));
        }
        batch = batch.record(&withdrawal(&format!("E-{number}-0"), 39));
        // One is right, whichever; they are held against what all of the batch left.
        for committed in [0, 1] {
            batch = batch.record(&json!({"record": "balance", "member_number": number, "view": 2012,
                "committed": committed, "paid": 0, "contributed": 0}));
        }
    }
    batch
}

/// The ledger without what says only when, in which order and in how many transactions it was written.
async fn ledger(fund: &Fund) -> BTreeMap<(String, String), Item> {
    let mut items = BTreeMap::new();
    for mut item in fund.items(Table::Ledger).await {
        for name in ["booked_at", "version", "marks", "since", "taken_at", "chain", "in_force", "kept"] {
            item.remove(name);
        }
        if let Some(AttributeValue::M(history)) = item.get_mut("history") {
            history.retain(|name, _| name == "versions");
        }
        // The hash of what waits has since when.
        if let Some(AttributeValue::M(waits)) = item.get_mut("waits") {
            waits.remove("kept");
        }
        item.values_mut().for_each(drop_number);
        items.insert((item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone()), item);
    }
    items
}

/// Takes the number of an entry, which says in which order it was posted, out of the keys that hold it.
fn drop_number(value: &mut AttributeValue) {
    match value {
        AttributeValue::S(text) => {
            let mut pieces: Vec<&str> = text.split('#').collect();
            match pieces[..] {
                ["ENTRY", .., _] => drop(pieces.pop()),
                ["CONTRIBUTION", _, _, _, _] => drop(pieces.remove(3)),
                _ => return,
            }
            *text = pieces.join("#");
        }
        AttributeValue::M(map) => map.values_mut().for_each(drop_number),
        _ => {}
    }
}

/// A report without when what waits began to wait, which is another time in each run.
fn timeless(mut report: Value) -> Value {
    if let Some(awaited) = report.get_mut("awaited") {
        awaited["since"] = Value::Null;
        awaited["longest"].as_array_mut().unwrap().iter_mut().for_each(|member| member["since"] = Value::Null);
    }
    report
}

/// Names the first item that is not the same.
fn same(found: &BTreeMap<(String, String), Item>, expected: &BTreeMap<(String, String), Item>) {
    for key in found.keys().chain(expected.keys()) {
        assert_eq!(found.get(key), expected.get(key), "{key:?}");
    }
}

impl Fund {
    fn work_bucket(&self) -> String {
        self.portal.environment().variable("WORK_BUCKET").unwrap().to_owned()
    }

    async fn work_keys(&self, prefix: &str) -> Vec<String> {
        let s3 = self.portal.s3().unwrap();
        let listed = s3.list_objects_v2().bucket(self.work_bucket()).prefix(prefix).send().await.unwrap();
        listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect()
    }

    /// The message of a task.
    fn message(&self, key: &str) -> Value {
        let event = json!({"detail": {"bucket": {"name": self.work_bucket()}, "object": {"key": key}}});
        json!({"Records": [{"messageId": key, "body": event.to_string()}]})
    }

    async fn deliver(&self, function: &Function, key: &str, deadline: Option<Timestamp>) -> Value {
        let message = serde_json::from_value(self.message(key)).unwrap();
        serde_json::to_value(function.handle_until(message, deadline).await.unwrap()).unwrap()
    }

    /// Does all tasks, one after the other; says how many there were.
    async fn work_off(&self, deadline: Option<Timestamp>, last_first: bool) -> usize {
        let mut count = 0;
        loop {
            let mut keys = self.work_keys("tasks/").await;
            if last_first {
                keys.reverse();
            }
            let Some(key) = keys.into_iter().next() else { return count };
            let answer = self.deliver(&self.function, &key, deadline).await;
            let errors: Vec<_> = self.portal.log_lines().into_iter().filter(|line| line["level"] == "error").collect();
            assert_eq!(answer, json!({"batchItemFailures": []}), "{key}: {errors:?}");
            count += 1;
        }
    }

    async fn manifest_arrives(&self, function: &Function, folder: &str, sequencer: &str) -> Value {
        let mut event = self.event(&format!("{folder}/manifest.json"));
        event["detail"]["object"]["sequencer"] = json!(sequencer);
        Self::hand(function, event).await
    }

    /// Uploads a batch and has it cut.
    async fn begin(&mut self, batch: &Batch) -> Value {
        self.function.bounds = SMALL_PARTS;
        self.upload(batch).await;
        self.manifest_arrives(&self.function, &batch.id, "1").await
    }
}

#[tokio::test]
async fn a_large_batch_ends_in_the_items_and_the_report_of_a_small_one() {
    let (whole, mut fund) = (Fund::start().await, unread().await);
    let mut batch = mixed("mixed");
    batch.members = members("").members;
    // Its SIRET is free when the account that has it moves, in another piece.
    let mut moves = member("012345", "53384615000050", 2);
    moves["name"] = json!("AUTRE NOM");
    batch.members.insert(2, member("800000", "53384615000019", 1).to_string());
    batch.members.extend((0..20).map(|_| member("630378", "53384615000027", 1).to_string()));
    batch.members.extend(["no json".to_owned(), moves.to_string(), member("800001", "53384615000027", 1).to_string()]);
    let earlier = members("early").record(&entry("W-0", 1, "012345", "012345-0", "COMMITMENT", 9));
    let earlier = earlier.record(&entry("W-012345-3", 1, "012345", "012345-5", "COMMITMENT", 503));
    for fund in [&whole, &fund] {
        fund.import(&earlier).await;
    }
    let expected = timeless(whole.import(&batch).await);
    let answer = fund.begin(&batch).await;
    assert_eq!((&answer["batch_id"], &answer["shards"]), (&json!("mixed"), &json!(7)), "{answer}");
    assert!(fund.work_keys("runs/").await.len() > 12, "parts are small");
    fund.work_off(None, false).await;
    assert_eq!(timeless(fund.object("mixed/report.json").await), expected);
    for kind in ["posted", "unchanged", "corrected", "withdrawn", "stale", "quarantined", "pending", "released"] {
        assert!(expected[kind].as_u64().unwrap() > 0, "the batch has {kind}: {expected:#}");
    }
    same(&ledger(&fund).await, &ledger(&whole).await);
    fund.reconcile().await;
    assert_eq!(fund.work_keys("").await.len(), 1, "nothing is left but the word that it is done");
    // Once more, as a new arrival and as the same one.
    let done = fund.manifest_arrives(&fund.function, "mixed", "1").await;
    assert!(done["done"].is_string(), "{done}");
    let again = whole.arrive("mixed").await;
    fund.manifest_arrives(&fund.function, "mixed", "2").await;
    fund.work_off(None, true).await;
    assert_eq!(timeless(fund.object("mixed/report.json").await), timeless(again.clone()));
    assert_eq!((&again["posted"], &again["corrected"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_worker_whose_time_runs_out_hands_on_what_is_left() {
    let (whole, mut fund) = (Fund::start().await, unread().await);
    for fund in [&whole, &fund] {
        fund.import(&members("members")).await;
    }
    let expected = timeless(whole.import(&mixed("mixed")).await);
    fund.begin(&mixed("mixed")).await;
    // A minute is left at the start of each invocation: enough for one piece and no more.
    let deadline = fund.portal.clock().now() + SignedDuration::from_secs(60);
    let tasks = fund.work_off(Some(deadline), false).await;
    assert!(tasks > 8, "{tasks} tasks of four shards");
    assert_eq!(timeless(fund.object("mixed/report.json").await), expected);
    same(&ledger(&fund).await, &ledger(&whole).await);
}

/// Every task is delivered three times at the same time, beside all others and the manifest once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_beside_each_other_and_deliveries_twice_are_counted_once() {
    let (whole, mut fund) = (Fund::start().await, unread().await);
    for fund in [&whole, &fund] {
        fund.import(&members("members")).await;
    }
    let expected = timeless(whole.import(&mixed("mixed")).await);
    fund.begin(&mixed("mixed")).await;
    let keys = fund.work_keys("tasks/").await;
    let thrice = keys.iter().chain(&keys).chain(&keys).map(|key| fund.deliver(&fund.function, key, None));
    let again = fund.manifest_arrives(&fund.function, "mixed", "1");
    futures::future::join(futures::future::join_all(thrice), again).await;
    // What found its shard taken apart by another is delivered again.
    fund.work_off(None, false).await;
    assert_eq!(timeless(fund.object("mixed/report.json").await), expected);
    same(&ledger(&fund).await, &ledger(&whole).await);
    fund.reconcile().await;
}

/// Cut off at each single call to DynamoDB and S3, before or after it has its effect, and delivered again.
#[tokio::test]
async fn cut_off_at_any_call_the_report_counts_every_line_once() {
    let whole = Fund::start().await;
    whole.import(&members("members")).await;
    let mut batch = mixed("mixed");
    batch.ledger.retain(|line| !line.contains("248411") && !line.contains("700001"));
    batch.ledger.truncate(28);
    let batch = batch.record(&withdrawal("E-012345-0", 40)).record(&withdrawal("W-630378-0", 40));
    let expected = timeless(whole.import(&batch).await);
    let items = ledger(&whole).await;
    let mut at = 0;
    loop {
        let mut fund = unread().await;
        fund.import(&members("members")).await;
        fund.upload(&batch).await;
        fund.function.bounds = SMALL_PARTS;
        let cut = Cut::after(at, at % 2 == 1);
        let mut cut_off = Function::start(&cut.environment(&fund.portal)).await.unwrap();
        cut_off.bounds = SMALL_PARTS;
        if cut.run(fund.manifest_arrives(&cut_off, "mixed", "1")).await.is_none() {
            fund.manifest_arrives(&fund.function, "mixed", "1").await;
        }
        while let Some(key) = fund.work_keys("tasks/").await.into_iter().next() {
            if cut.run(fund.deliver(&cut_off, &key, None)).await.is_none() {
                fund.work_off(None, false).await;
            }
        }
        assert_eq!(timeless(fund.object("mixed/report.json").await), expected, "cut off at {at}");
        same(&ledger(&fund).await, &items);
        if cut.calls() <= at {
            break;
        }
        at += 1;
    }
    assert!(at > 100, "only {at} calls were cut");
}

/// The accounts of an action that moves are in different shards, which end in any order.
#[tokio::test]
async fn an_action_that_moves_between_shards_ends_where_one_invocation_has_it() {
    let at = |number, version| action("A-77", version, number, "a", "COMMITTED", "2011-11-30");
    let on = |key, version, number: &str| entry(key, version, number, "a", "COMMITMENT", 1_000);
    for (from, to) in [("012345", "630378"), ("630378", "012345"), ("248411", "700001")] {
        let batch = Batch::new("moves")
            .record(&on("E-0", 1, from))
            .record(&at(from, 1))
            .record(&on("E-1", 1, from))
            .record(&at(to, 2))
            .record(&on("E-2", 1, from))
            .record(&on("E-3", 1, to))
            .record(&on("E-1", 2, to))
            .record(&on("E-4", 1, to))
            .record(&on("E-4", 1, to));
        let whole = Fund::start().await;
        whole.import(&members("members")).await;
        let expected = timeless(whole.import(&batch).await);
        for last_first in [false, true] {
            let mut fund = unread().await;
            fund.import(&members("members")).await;
            assert_eq!(fund.begin(&batch).await["shards"], 2, "{from} and {to} are in one shard");
            fund.work_off(None, last_first).await;
            let report = fund.object("moves/report.json").await;
            assert_eq!((&report["pending"], &report["quarantined"]), (&json!(0), &json!(0)), "{report:#}");
            assert_eq!(report["totals"]["amount_cents"], expected["totals"]["amount_cents"]);
            let kinds = ["posted", "unchanged", "corrected", "stale"];
            assert_eq!(kinds.map(|kind| report[kind].as_u64().unwrap()).iter().sum::<u64>(), 9, "{report:#}");
            for number in [from, to] {
                assert_eq!(fund.figures(number).await, whole.figures(number).await, "{from} to {to}");
            }
            fund.reconcile().await;
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_not_cut() {
    let mut fund = unread().await;
    let (files, mut manifest) = mixed("wrong").files();
    manifest["files"][1]["lines"] = json!(1);
    fund.upload_files("wrong", files, &manifest).await;
    fund.function.bounds = SMALL_PARTS;
    let invocation = Invocation::default();
    let report = invocation.run(fund.manifest_arrives(&fund.function, "wrong", "1")).await;
    assert_eq!(report["refused"]["reason"], "line-count", "{report}");
    assert_eq!(fund.work_keys("").await, Vec::<String>::new());
    let line = invocation.of_event(Line::new("import-feed"), None, "import-feed").into_value();
    assert_eq!(
        (&line["refused_batches"], &line["level"], &line["batch"]),
        (&json!(1), &json!("error"), &json!("wrong"))
    );
    assert!(line["context"].as_str().unwrap().contains("line-count"), "{line}");
}

#[tokio::test]
async fn a_message_that_is_no_task_fails() {
    let fund = unread().await;
    for key in ["tasks/x.json", "runs/a/plan.json", "tasks/none/0001-000000"] {
        let answer = fund.deliver(&fund.function, key, None).await;
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], key);
    }
    // One that was done before.
    let answer = fund.deliver(&fund.function, "tasks/none/0001-000000.json", None).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
}

/// A batch of which no line is a record has no shard, and a report all the same.
#[tokio::test]
async fn a_batch_of_bad_lines_only_is_reported() {
    let mut fund = unread().await;
    let answer = fund.begin(&Batch::new("bad").line("x").line("")).await;
    assert_eq!(answer["shards"], 0);
    assert_eq!(fund.object("bad/report.json").await["quarantined"], 2);
}

/// The whole way of a deployment: objects, events, queue, several workers, dead letters and their redrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_poisoned_shard_goes_to_the_dead_letters_and_a_redrive_finishes_the_batch() {
    let whole = Fund::start().await;
    whole.import(&members("members")).await;
    let expected = timeless(whole.import(&mixed("mixed")).await);
    let fund = Fund::with(Clock::system(), &[("SplitAbove", "10"), ("ImportWorkers", "3")]).await;
    fund.import(&members("members")).await;
    // Says of one entry that it was posted where it is not.
    let source = Identifier::parse("erp").unwrap();
    let source_key = Identifier::parse("E-012345-2").unwrap();
    let poison = Guard {
        subject: Subject::Entry {
            posted: Some(EntryPlace { account: MemberNumber::parse("012345").unwrap(), sk: "ACTION#x#ENTRY#y".into() }),
            pending: None,
        },
        version: 1,
        ..Guard::of_nothing(source.clone(), source_key.clone())
    };
    fund.store.put(&poison).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("mixed");
    std::fs::create_dir(&folder).unwrap();
    let (files, manifest) = mixed("mixed").files();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    let error = fund.portal.import(&folder).await.unwrap_err();
    assert!(matches!(error, local::ImportError::GivenUp), "{error}");
    let letters = fund.portal.dead_letters();
    assert_eq!(letters.len(), 1, "one shard is poisoned, the others are posted: {letters:?}");
    fund.reconcile().await;
    let key = Guard::key_of(&source, &source_key);
    let client = fund.portal.dynamodb().unwrap();
    let value = |text: &str| AttributeValue::S(text.to_owned());
    let table = fund.portal.table(Table::Ledger).unwrap();
    client.delete_item().table_name(table).key("pk", value(&key.pk)).key("sk", value(&key.sk)).send().await.unwrap();
    assert_eq!(fund.portal.redrive(), 1);
    fund.portal.drain().await.unwrap();
    assert_eq!(timeless(fund.object("mixed/report.json").await), expected);
    same(&ledger(&fund).await, &ledger(&whole).await);
    assert_eq!(fund.work_keys("tasks/").await, Vec::<String>::new());
    // And without poison it is one call.
    let report = fund.portal.import(&folder).await.unwrap();
    assert_eq!((report.posted, report.corrected), (0, 0));
    let shards = fund.portal.log_lines().into_iter().filter(|line| line["import"].get("shard").is_some());
    assert!(shards.count() >= 8, "each shard says how far it is");
}

//! Loads, held against the same batches posted by the function on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../functions/import-feed/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use flate2::read::MultiGzDecoder;
use generate_feed::generate;
use import_feed::Sources;
use initial_load::item_json::{from_json, to_json};
use initial_load::{LoadError, Options, Stage, Summary, Told, load};
use jiff::Timestamp;
use portal::clock::Clock;
use portal::domain::View;
use portal::store::{Item, Table};
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, member};
use tempfile::TempDir;

const A: &str = "012345";
const B: &str = "630378";
const TABLES: [Table; 2] = [Table::Members, Table::Ledger];

fn clock() -> Clock {
    Clock::stopped_at("2026-01-31T06:00:00.123Z".parse::<Timestamp>().unwrap())
}

fn silent() -> Told {
    Arc::new(|_, _, _| {})
}

/// A place for feeds and loads, gone with the test.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn feed(&self, batch: &Batch) -> PathBuf {
        let folder = self.path(&batch.id);
        fs::create_dir_all(&folder).unwrap();
        let (files, manifest) = batch.files();
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        folder
    }

    fn generated(&self) -> PathBuf {
        let folder = self.path("generated");
        let options = generate_feed::Options {
            establishments: 12,
            years: "2009-2013".parse().unwrap(),
            seed: 7,
            batch_id: "generated".to_owned(),
            large_account: Some(500),
        };
        generate(&options, &folder, |_| {}).unwrap();
        folder
    }

    fn options(&self, feeds: &[PathBuf]) -> Options {
        let (first_view, sources) = (View::parse("2011").unwrap(), Arc::new(Sources::parse("demo,erp").unwrap()));
        let (feeds, out) = (feeds.to_vec(), self.path("out"));
        Options { feeds, out, first_view, sources, clock: clock(), part_bytes: 100_000 }
    }
}

/// Batches in which everything happens that a feed can make happen.
fn eventful() -> Vec<Batch> {
    let (siret_a, siret_b) = ("53384615000019", "53384615000027");
    let at = |version, number, status, engaged| action("A-77", version, number, "2011-000077", status, engaged);
    let paid = |key: &str, version, cents, remittance: &str, invoice: &str| {
        let mut entry = entry(key, version, A, "2011-000077", "PAYMENT_TO_COMPANY", cents);
        entry["remittance_number"] = json!(remittance);
        entry["bank_reference"] = json!("CSTR 0042");
        entry["invoice_number"] = json!(invoice);
        entry
    };
    let mut contribution = entry("C-1", 1, A, "", "CONTRIBUTION_LEGAL", 310_000);
    contribution.as_object_mut().unwrap().remove("action_id");
    contribution["contribution_year"] = json!(2011);
    let mut first = Batch::new("first")
        .member(A, siret_a, 1)
        .member(B, siret_b, 1)
        .member("999999", siret_b, 1)
        .record(&at(1, A, "COMMITTED", "2011-11-30"))
        .record(&entry("E-1", 1, A, "2011-000077", "COMMITMENT", 180_000))
        .record(&paid("E-2", 1, 90_000, "V-42", "F-118"))
        .record(&paid("E-3", 1, 30_000, "V-42", "F-119"))
        .record(&entry("W-1", 1, A, "not-yet", "COMMITMENT", 7_000))
        .record(&entry("W-2", 1, A, "never", "COMMITMENT", 9_000))
        .record(&entry("X-1", 1, "777777", "2011-000077", "COMMITMENT", 9_000))
        .record(&contribution)
        .line("no JSON");
    for index in 0..230 {
        first = first.record(&entry(&format!("I-{index}"), 1, A, "2011-000077", "INVOICE_RECEIVED", 1_000));
    }
    let mut returned = paid("E-4", 1, 30_000, "V-42", "F-119");
    returned["kind"] = json!("PAYMENT_RETURNED");
    contribution["source_version"] = json!(2);
    contribution["contribution_year"] = json!(2012);
    let second = Batch::new("second")
        .member(A, siret_a, 1)
        .record(&paid("E-2", 2, 80_000, "V-43", "F-118"))
        .record(&returned)
        .record(&contribution)
        .record(&entry("E-1", 1, A, "2011-000077", "COMMITMENT", 180_000))
        .record(&entry("E-1", 1, A, "2011-000077", "COMMITMENT", 180_001))
        .record(&action("A-88", 1, A, "not-yet", "COMMITTED", "2012-01-01"));
    let mut closed = member(A, siret_a, 2);
    closed["closed_on"] = json!("2013-12-31");
    let mut third = Batch::new("third")
        .record(&at(2, A, "PARTLY_PAID", "2012-01-01"))
        .record(&at(3, B, "PAID", "2012-01-01"))
        .record(&entry("E-5", 1, A, "2011-000077", "RECOVERY", 500))
        .record(&paid("E-2", 1, 90_000, "V-42", "F-118"));
    third.members.push(closed.to_string());
    third = third.member(B, siret_a, 2);
    vec![first, second, third]
}

fn items_by_key(items: impl IntoIterator<Item = Item>) -> BTreeMap<[String; 2], Value> {
    let key = |item: &Item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone());
    let mut by_key = BTreeMap::new();
    for item in items {
        assert!(by_key.insert(key(&item), to_json(&item).unwrap()).is_none(), "a key comes once");
    }
    by_key
}

fn folder_of(out: &Path, table: Table) -> PathBuf {
    out.join(if table == Table::Members { "members" } else { "ledger" })
}

fn parts(out: &Path, table: Table) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder_of(out, table)).unwrap().map(|part| part.unwrap().path()).collect();
    paths.sort();
    paths
}

fn lines(part: &Path) -> Vec<String> {
    BufReader::new(MultiGzDecoder::new(File::open(part).unwrap())).lines().map(Result::unwrap).collect()
}

/// The items of a load, as DynamoDB reads them.
fn loaded(out: &Path, table: Table) -> Vec<Item> {
    let mut items = Vec::new();
    for line in parts(out, table).iter().flat_map(|part| lines(part)) {
        let Value::Object(mut line) = serde_json::from_str(&line).unwrap() else { panic!("a line is an object") };
        items.push(from_json(line.remove("Item").unwrap()).unwrap());
        assert!(line.is_empty());
    }
    items
}

async fn post(fund: &Fund, feed: &Path) -> Value {
    let name = feed.file_name().unwrap().to_str().unwrap();
    let read = |file: &str| fs::read(feed.join(file)).unwrap();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let files = ["members.ndjson", "ledger.ndjson"].map(|file| (file.to_owned(), read(file)));
    fund.upload_files(name, files.into(), &manifest).await;
    fund.arrive(name).await
}

/// Puts a load into the tables item by item, as DynamoDB does.
async fn put(fund: &Fund, out: &Path) {
    let client = fund.portal.dynamodb().unwrap();
    for table in TABLES {
        let name = fund.portal.table(table).unwrap();
        for items in loaded(out, table).chunks(25) {
            let request = |item: &Item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            };
            let requests = items.iter().map(request).collect();
            let answer = client.batch_write_item().request_items(name, requests).send().await.unwrap();
            assert!(answer.unprocessed_items.is_none_or(|left| left.is_empty()));
        }
    }
}

#[tokio::test]
async fn a_load_has_the_items_and_the_reports_of_posting() {
    let (place, fund) = (Place::new(), Fund::start_at(clock()).await);
    let mut feeds = vec![place.generated()];
    feeds.extend(eventful().iter().map(|batch| place.feed(batch)));
    let options = place.options(&feeds);
    let (reports, summary) = load(&options, &silent()).await.unwrap();

    for (feed, report) in feeds.iter().zip(&reports) {
        assert_eq!(serde_json::to_value(report).unwrap(), post(&fund, feed).await);
    }
    for (table, written) in [(Table::Members, &summary.members), (Table::Ledger, &summary.ledger)] {
        let (ours, theirs) = (items_by_key(loaded(&options.out, table)), items_by_key(fund.items(table).await));
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (key, item) in &theirs {
            assert_eq!(&ours[key], item, "{key:?}");
        }
        assert_eq!(written.items, theirs.len() as u64);
    }

    // What the comparison is worth: each kind of item is there, and each thing that can happen did.
    let ledger = items_by_key(fund.items(Table::Ledger).await);
    let sorts = ["TOTALS#", "FACETS#", "ACTION#", "CONTRIBUTION#", "PENDING#", "GUARD", "REMITTANCE#"];
    for sort in sorts {
        assert!(ledger.keys().any(|[_, sk]| sk.starts_with(sort)), "{sort}");
    }
    assert!(ledger.values().any(|item| item.get("moved_to").is_some()), "an action moved");
    for count in ["posted", "corrected", "unchanged", "stale", "pending", "quarantined", "released"] {
        let sum: u64 =
            reports.iter().map(|report| serde_json::to_value(report).unwrap()[count].as_u64().unwrap()).sum();
        assert!(sum > 0, "{count}");
    }
    let written: Value = serde_json::from_slice(&fs::read(options.out.join("report.json")).unwrap()).unwrap();
    assert_eq!(written, serde_json::to_value(&reports).unwrap());
    let written: Summary = serde_json::from_slice(&fs::read(options.out.join("load.json")).unwrap()).unwrap();
    assert_eq!(written, summary);
}

#[tokio::test]
async fn posting_goes_on_where_a_load_ended() {
    let (place, posted, filled) = (Place::new(), Fund::start_at(clock()).await, Fund::start_at(clock()).await);
    let feeds: Vec<_> = eventful().iter().map(|batch| place.feed(batch)).collect();
    let options = place.options(&feeds[..2]);
    load(&options, &silent()).await.unwrap();
    put(&filled, &options.out).await;
    filled.reconcile().await;
    let before = items_by_key(filled.items(Table::Ledger).await);
    for feed in &feeds[..2] {
        post(&posted, feed).await;
        let again = post(&filled, feed).await;
        assert_eq!((&again["posted"], &again["corrected"], &again["released"]), (&json!(0), &json!(0), &json!(0)));
    }
    assert_eq!(items_by_key(filled.items(Table::Ledger).await), before);
    assert_eq!(post(&filled, &feeds[2]).await, post(&posted, &feeds[2]).await);
    filled.reconcile().await;
    for table in TABLES {
        assert_eq!(items_by_key(filled.items(table).await), items_by_key(posted.items(table).await));
    }
    assert_eq!(filled.figures(B).await, posted.figures(B).await);
    assert!(!filled.figures(B).await.is_empty());
}

#[tokio::test]
async fn parts_are_bounded_and_never_hold_an_account_in_a_row() {
    let place = Place::new();
    let options = place.options(&[place.generated()]);
    let (_, summary) = load(&options, &silent()).await.unwrap();
    assert!(summary.ledger.parts > 5);
    let (mut items, mut bytes, mut longest, mut run) = (0, 0, 0, (Value::Null, 0));
    for part in parts(&options.out, Table::Ledger) {
        let lines = lines(&part);
        let length: usize = lines.iter().map(|line| line.len() + 1).sum();
        assert!(length < 100_000 + 10_000, "{}", part.display());
        items += lines.len() as u64;
        bytes += length as u64;
        for line in lines {
            let line: Value = serde_json::from_str(&line).unwrap();
            let partition = line["Item"]["pk"]["S"].clone();
            run = if run.0 == partition { (partition, run.1 + 1) } else { (partition, 1) };
            longest = longest.max(run.1);
        }
    }
    let written = &summary.ledger;
    assert_eq!((written.items, written.bytes), (items, bytes));
    assert_eq!(written.parts, parts(&options.out, Table::Ledger).len() as u64);
    // The large account has over a thousand items, which would all be in a row.
    assert!(longest < 100, "{longest}");
}

#[tokio::test]
async fn the_same_feeds_give_the_same_bytes_and_progress_tells_each_stage() {
    let place = Place::new();
    let feeds: Vec<_> = eventful().iter().map(|batch| place.feed(batch)).collect();
    let mut options = place.options(&feeds);
    let stages = Arc::new(Mutex::new(Vec::new()));
    let told: Told = {
        let stages = stages.clone();
        Arc::new(move |stage, done, of| stages.lock().unwrap().push((stage, done, of)))
    };
    load(&options, &told).await.unwrap();
    let first = options.out.clone();
    options.out = place.path("again");
    load(&options, &silent()).await.unwrap();
    for table in TABLES {
        let bytes = |out: &Path| -> Vec<_> { parts(out, table).iter().map(|part| fs::read(part).unwrap()).collect() };
        assert_eq!(bytes(&first), bytes(&options.out));
    }
    let stages = stages.lock().unwrap();
    assert!(stages.iter().any(|(stage, ..)| matches!(stage, Stage::Posting(batch) if batch.as_str() == "third")));
    let (last, done, of) = stages.last().unwrap();
    assert_eq!((last, done), (&Stage::Writing(Table::Ledger), of));
}

#[tokio::test]
async fn a_batch_unlike_its_manifest_is_refused_before_anything_is_written() {
    let place = Place::new();
    let feeds: Vec<_> = eventful().iter().map(|batch| place.feed(batch)).collect();
    fs::write(feeds[2].join("ledger.ndjson"), "{}\n").unwrap();
    let options = place.options(&feeds);
    let error = load(&options, &silent()).await.unwrap_err();
    assert!(matches!(&error, LoadError::Refused(feed, refusal) if *feed == feeds[2] && refusal.reason == "line-count"));
    assert!(error.to_string().contains("third is refused (line-count)"), "{error}");
    let error = load(&place.options(&[place.path("nowhere")]), &silent()).await.unwrap_err();
    assert!(error.to_string().contains("nowhere: there is no manifest.json"), "{error}");
    assert!(!options.out.exists() && !place.path("out.unfinished").exists());
}

#[tokio::test]
async fn only_what_a_cut_off_load_left_is_replaced() {
    let place = Place::new();
    let feeds = [place.feed(&eventful()[0])];
    let options = place.options(&feeds);
    let unfinished = place.path("out.unfinished");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join("precious.txt"), "").unwrap();
    let error = load(&options, &silent()).await.unwrap_err();
    assert!(matches!(error, LoadError::NotEmpty(folder) if folder == unfinished));
    assert!(unfinished.join("precious.txt").exists());

    fs::remove_dir_all(&unfinished).unwrap();
    // Dropped in the middle, as a kill would leave it.
    let told: Told = Arc::new(|stage, done, _| assert!(stage != Stage::Writing(Table::Ledger) || done == 0, "cut off"));
    let cut = options.clone();
    assert!(tokio::spawn(async move { load(&cut, &told).await }).await.is_err());
    assert!(unfinished.join("ledger/part-00000.json.gz").exists() && !options.out.exists());
    load(&options, &silent()).await.unwrap();
    let mut left: Vec<_> = fs::read_dir(&options.out).unwrap().map(|found| found.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ledger", "load.json", "members", "report.json"]);
    assert!(!unfinished.exists());

    let error = load(&options, &silent()).await.unwrap_err();
    assert!(matches!(error, LoadError::NotEmpty(folder) if folder == options.out));
}

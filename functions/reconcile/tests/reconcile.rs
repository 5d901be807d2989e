//! A posted ledger, one field of it changed behind the portal's back, and what is found.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use local::{Options, Portal};
use portal::clock::Clock;
use portal::domain::to_hex;
use portal::lambda::EventFunction as _;
use portal::store::{Item, Table};
use reconcile::Function;
use serde_json::{Value, json};

const NUMBER: &str = "012345";
const OTHER: &str = "630378";

struct Fund {
    portal: Portal,
    clock: Clock,
    client: Client,
    table: String,
}

impl Fund {
    async fn start() -> Self {
        let clock = Clock::stopped_at("2012-10-15T03:00:00Z".parse().unwrap());
        let portal = Portal::prepare(Options { clock: clock.clone(), ..Options::default() }).await.unwrap();
        let client = portal.dynamodb().unwrap();
        let table = portal.table(Table::Ledger).unwrap().to_owned();
        Self { portal, clock, client, table }
    }

    async fn import(&self, batch: &str, members: &[Value], ledger: &[Value]) -> local::Report {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(batch);
        fs::create_dir(&folder).unwrap();
        let files = [("members.ndjson", members), ("ledger.ndjson", ledger)];
        let listed = files.map(|(name, records)| write(&folder, name, records));
        let manifest = json!({
            "batch_id": batch, "source": "erp", "created_at": "2012-10-15T02:00:00Z", "files": listed,
        });
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        self.portal.import(&folder).await.unwrap()
    }

    /// A ledger with an item of each kind, nothing of it simple.
    async fn posted(&self) {
        let members = [member(NUMBER, "53384615000019"), member(OTHER, "53384615000027")];
        let mut paid = entry("E-4", "2011-1", "PAYMENT_TO_COMPANY", 25_000, "2012-02-10");
        let mut also = entry("E-5", "2012-1", "PAYMENT_TO_PROVIDER", 5_000, "2012-02-11");
        for payment in [&mut paid, &mut also] {
            payment["remittance_number"] = json!("V-1");
            payment["bank_reference"] = json!("CSTR 1");
        }
        let mut corrected = entry("E-1", "2011-1", "COMMITMENT", 170_000, "2011-12-31");
        corrected["source_version"] = json!(2);
        let contribution = json!({
            "record": "entry", "source_key": "C-1", "source_version": 1, "member_number": NUMBER,
            "kind": "CONTRIBUTION_LEGAL", "amount_cents": 100_000, "effective_date": "2012-02-28",
            "contribution_year": 2011, "label": "Contribution",
        });
        let mut closed = action("A-4", "2013-4", "CLOSED", "2013-05-01");
        closed["source_version"] = json!(2);
        let records = [
            // One of which the fund says something else since, with no entry.
            action("A-4", "2013-4", "COMMITTED", "2013-05-01"),
            closed,
            action("A-1", "2011-1", "PARTLY_PAID", "2011-12-31"),
            action("A-2", "2012-1", "PAID", "2012-01-01"),
            entry("E-1", "2011-1", "COMMITMENT", 180_000, "2011-12-31"),
            entry("E-2", "2011-1", "INVOICE_RECEIVED", 90_000, "2012-02-01"),
            entry("E-3", "later", "COMMITMENT", 100, "2012-02-01"),
            paid,
            also,
            contribution,
            corrected,
            // One that never was, and an action without entries.
            entry("E-6", "2011-1", "PAYMENT_TO_COMPANY", 777, "2012-02-12"),
            action("A-3", "2011-3", "COMMITTED", "2011-12-31"),
            json!({"record": "withdrawal", "source_key": "E-6", "source_version": 2}),
            // One that is of the other account.
            entry("E-7", "2011-1", "INVOICE_RECEIVED", 555, "2012-02-13"),
            of_other(action("A-9", "2011-9", "COMMITTED", "2011-12-31"), 1),
            of_other(entry("E-7", "2011-9", "INVOICE_RECEIVED", 555, "2012-02-13"), 2),
            json!({"record": "withdrawal", "source_key": "A-3", "source_version": 2}),
        ];
        let report = self.import("one", &members, &records).await;
        assert_eq!((report.quarantined, report.pending), (0, 1), "{report:?}");
    }

    async fn reconcile(&self, event: Value) -> Value {
        self.portal.invoke("reconcile", event).await.unwrap()
    }

    /// The drift as it is told, line by line.
    async fn drift(&self) -> Vec<String> {
        let report = self.reconcile(json!({"account": NUMBER})).await;
        assert_eq!(report["busy"], json!([]));
        let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
        let line = |drift: &Value| {
            let [item, field, stored, computed] =
                ["item", "field", "stored", "computed"].map(|name| text(&drift[name]));
            assert_eq!(drift["account"], NUMBER);
            format!("{item} {field} {stored} {computed}")
        };
        let lines: Vec<String> = report["listed"].as_array().unwrap().iter().map(line).collect();
        assert_eq!(report["drift"], lines.len());
        lines
    }

    fn key(sk: &str) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        [("pk".to_owned(), text(&format!("ACCOUNT#{NUMBER}"))), ("sk".to_owned(), text(sk))].into()
    }

    async fn item(&self, sk: &str) -> Item {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(Self::key(sk)));
        get.send().await.unwrap().item.unwrap_or_else(|| panic!("no {sk}"))
    }

    async fn put(&self, item: Item) {
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    async fn delete(&self, sk: &str) {
        self.client.delete_item().table_name(&self.table).set_key(Some(Self::key(sk))).send().await.unwrap();
    }

    async fn delete_item(&self, item: &Item) {
        let key: Item = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone())).into();
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.unwrap();
    }

    /// The sort key of the one item that holds these attributes.
    async fn find(&self, prefix: &str, amount: i64) -> String {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(format!("ACCOUNT#{NUMBER}")))
            .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()))
            .send()
            .await
            .unwrap();
        let holds = |item: &&Item| {
            let facts = item.get("facts").and_then(|facts| facts.as_m().ok());
            facts.is_some_and(|facts| facts["amount"] == AttributeValue::N(amount.to_string()))
        };
        output.items().iter().find(holds).unwrap()["sk"].as_s().unwrap().clone()
    }
}

fn write(folder: &Path, name: &str, records: &[Value]) -> Value {
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    fs::write(folder.join(name), &text).unwrap();
    let sum: i64 = records.iter().filter_map(|record| record["amount_cents"].as_i64()).sum();
    json!({
        "name": name, "lines": records.len(), "amount_cents": sum,
        "sha256": to_hex(digest(&SHA256, text.as_bytes()).as_ref()),
    })
}

fn member(number: &str, siret: &str) -> Value {
    json!({
        "member_number": number, "siret": siret, "name": format!("ENTREPRISE {number}"), "headcount_band": "10-49",
        "contact_email": "compta@exemple.fr", "opened_on": "2009-03-01", "version": 1,
    })
}

fn action(key: &str, id: &str, status: &str, engaged: &str) -> Value {
    json!({
        "record": "action", "source_key": key, "source_version": 1, "member_number": NUMBER, "action_id": id,
        "title": "CACES", "scheme": "PLAN", "status": status, "engagement_date": engaged,
    })
}

fn entry(key: &str, id: &str, kind: &str, cents: i64, date: &str) -> Value {
    json!({
        "record": "entry", "source_key": key, "source_version": 1, "member_number": NUMBER, "action_id": id,
        "kind": kind, "amount_cents": cents, "effective_date": date, "label": "Écriture",
    })
}

/// The same of the other account, in this version.
fn of_other(mut record: Value, version: u64) -> Value {
    (record["member_number"], record["source_version"]) = (json!(OTHER), json!(version));
    record
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn row(numbers: &[i64]) -> AttributeValue {
    AttributeValue::L(numbers.iter().copied().map(number).collect())
}

/// Puts a value where a path leads: names of maps, places of lists.
fn change(item: &mut Item, path: &[&str], value: AttributeValue) {
    let (first, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        item.insert((*first).to_owned(), value);
        return;
    }
    let mut here = item.get_mut(*first).unwrap_or_else(|| panic!("no {first}"));
    for (place, name) in rest.iter().enumerate() {
        here = match here {
            AttributeValue::M(map) => {
                if place + 1 == rest.len() {
                    map.entry((*name).to_owned()).or_insert_with(|| number(0));
                }
                map.get_mut(*name).unwrap_or_else(|| panic!("no {name} in {path:?}"))
            }
            AttributeValue::L(list) => &mut list[name.parse::<usize>().unwrap()],
            _ => panic!("{name} is in no map or list: {path:?}"),
        };
    }
    *here = value;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_as_it_was_posted_has_no_drift() {
    let fund = Fund::start().await;
    fund.posted().await;
    assert_eq!(fund.drift().await, Vec::<String>::new());
    let report = fund.reconcile(json!({})).await;
    // Seven entries, two of them reversed and replaced, one withdrawn; one more waits.
    assert_eq!((&report["accounts"], &report["entries"], &report["drift"]), (&json!(2), &json!(12), &json!(0)));
    assert_eq!((&report["of"], report.get("after")), (&json!(2), None), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_data_have_no_drift() {
    let fund = Fund::start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/feed");
    fund.portal.import(&folder).await.unwrap();
    let report = fund.reconcile(json!({})).await;
    assert_eq!((&report["drift"], &report["busy"]), (&json!(0), &json!([])), "{report}");
    assert!(report["entries"].as_u64().unwrap() > 100, "{report}");
}

/// Each row: an item, where in it, the value put there, and all that is told of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_field_of_any_item_is_told_with_both_values_and_nothing_else_is() {
    let fund = Fund::start().await;
    fund.posted().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let cases: Vec<(&str, &[&str], AttributeValue, &str)> = vec![
        ("TOTALS#2011", &["sums", "0"], number(1), "sums.committed 1 170000"),
        ("TOTALS#2011", &["sums", "1"], number(1), "sums.paid_to_company 1 25000"),
        ("TOTALS#2011", &["sums", "2"], number(1), "sums.paid_to_providers 1 0"),
        ("TOTALS#2011", &["sums", "3"], number(1), "sums.in_progress 1 65000"),
        ("TOTALS#2011", &["sums", "4"], number(1), "sums.contributed 1 100000"),
        ("TOTALS#2011", &["sums", "5"], number(1), "sums.remaining 1 145000"),
        // Of action 2012-1, nothing is committed.
        ("TOTALS#2012", &["sums", "6"], number(1), "sums.overpaid 1 5000"),
        ("TOTALS#2012", &["sums"], row(&[0, 0, 5_000]), "sums.overpaid 0 5000"),
        ("TOTALS#2012", &["sums"], row(&[0, 0, 5_000, 0, 0, 0, 5_000, 7]), "sums.recovered 7 0"),
        ("TOTALS#2012", &["schemes", "PLAN", "5"], number(1), "schemes.PLAN.overpaid 1 5000"),
        ("FACETS#2011", &["sums", "PLAN#PARTLY_PAID", "5"], number(3), "sums.PLAN#PARTLY_PAID.remaining 3 145000"),
        ("ACTION#2011-1#", &["shown", "r"], number(3), "shown.recovered 3 0"),
        ("TOTALS#2011", &["actions"], number(2), "actions 2 1"),
        ("TOTALS#2011", &["entries"], number(4), "entries 4 3"),
        ("TOTALS#2011", &["contributions"], number(0), "contributions 0 1"),
        ("TOTALS#2011", &["schemes", "PLAN", "1"], number(7), "schemes.PLAN.paid_to_company 7 25000"),
        ("TOTALS#2011", &["months", "2012-02", "3"], number(7), "months.2012-02.contributed 7 100000"),
        ("TOTALS#2011", &["months", "2011-12", "0"], number(180_000), "months.2011-12.committed 180000 170000"),
        ("FACETS#2011", &["sums", "PLAN#PARTLY_PAID", "0"], number(3), "sums.PLAN#PARTLY_PAID.actions 3 1"),
        ("FACETS#2011", &["sums", "PLAN#PARTLY_PAID", "4"], number(3), "sums.PLAN#PARTLY_PAID.in_progress 3 65000"),
        ("FACETS#2011", &["contributed"], number(3), "contributed 3 100000"),
        ("FACETS#2011", &["contributions"], AttributeValue::Bool(false), "contributions false true"),
        ("ACTION#2011-1#", &["shown", "c"], number(3), "shown.committed 3 170000"),
        ("ACTION#2011-1#", &["shown", "p", "0"], number(3), "shown.paid.to_company 3 25000"),
        ("ACTION#2011-1#", &["shown", "i"], number(-3), "shown.in_progress -3 65000"),
        ("ACTION#2011-1#", &["entries"], number(9), "entries 9 3"),
        ("ACTION#2011-1#", &["by_view"], text("ACTION#x"), "by_view ACTION#x ACTION#2011#2011-12-31#2011-1"),
        ("ACTION#later#", &["waiting"], number(2), "waiting 2 1"),
        (
            "REMITTANCE#V-1#erp#",
            &["views", "2011", "moved", "0"],
            number(3),
            "views.2011.moved.sent_to_company 3 25000",
        ),
        (
            "REMITTANCE#V-1#erp#",
            &["views", "2012", "moved", "1"],
            number(3),
            "views.2012.moved.sent_to_providers 3 5000",
        ),
        ("REMITTANCE#V-1#erp#", &["sent", "days", "2012-02-11"], number(3), "sent.days.2012-02-11 3 1"),
        ("REMITTANCE#V-1#erp#", &["views", "2012", "entries"], number(3), "views.2012.entries 3 1"),
        ("REMITTANCE#V-1#erp#", &["sent", "banks", "CSTR 1"], number(3), "sent.banks.CSTR 1 3 2"),
        ("REMITTANCE#V-1#erp#", &["shown", "moved", "0"], number(3), "shown.moved.sent_to_company 3 25000"),
        ("REMITTANCE#V-1#erp#2012", &["shown", "moved", "2"], number(3), "shown.moved.returned_by_company 3 0"),
        ("REMITTANCE#V-1#erp#2012", &["shown", "date"], text("2012-02-11"), "shown.date 2012-02-11 2012-02-10"),
    ];
    for (sk, path, value, told) in cases {
        let item = fund.item(sk).await;
        let mut changed = item.clone();
        change(&mut changed, path, value);
        assert_ne!(changed, item, "{sk} {path:?}");
        fund.put(changed).await;
        assert_eq!(fund.drift().await, [format!("{sk} {told}")]);
        fund.put(item).await;
    }
    assert_eq!(fund.drift().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_entry_is_told_by_all_that_counted_it() {
    let fund = Fund::start().await;
    fund.posted().await;
    let sk = fund.find("ACTION#2012-1#ENTRY#", 5_000).await;
    let mut item = fund.item(&sk).await;
    change(&mut item, &["facts", "amount"], number(6_000));
    fund.put(item).await;
    let told: Vec<&str> = vec![
        "ACTION#2012-1# likes bcb039e4 e6439092",
        "ACTION#2012-1# shown.in_progress -5000 -6000",
        "ACTION#2012-1# shown.paid.to_providers 5000 6000",
        "FACETS#2012 sums.PLAN#PAID.overpaid 5000 6000",
        "FACETS#2012 sums.PLAN#PAID.paid_to_providers 5000 6000",
        "REMITTANCE#V-1#erp# shown.moved.sent_to_providers 5000 6000",
        "REMITTANCE#V-1#erp# views.2012.moved.sent_to_providers 5000 6000",
        "REMITTANCE#V-1#erp#2012 shown.moved.sent_to_providers 5000 6000",
        "TOTALS#2012 months.2012-02.paid_to_providers 5000 6000",
        "TOTALS#2012 schemes.PLAN.overpaid 5000 6000",
        "TOTALS#2012 schemes.PLAN.paid_to_providers 5000 6000",
        "TOTALS#2012 sums.overpaid 5000 6000",
        "TOTALS#2012 sums.paid_to_providers 5000 6000",
        "TOTALS views.2012.overpaid 5000 6000",
        "TOTALS views.2012.paid_to_providers 5000 6000",
    ];
    let drift = fund.drift().await;
    // The hashes too, which say nothing by themselves.
    let (hashes, sums): (Vec<&str>, Vec<&str>) =
        drift.iter().map(String::as_str).partition(|line| line.contains(" chain ") || line.contains(" content "));
    assert_eq!(sums, told);
    let of = hashes.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!(of, ["TOTALS#2012 chain".to_owned(), format!("{sk} content")]);
}

/// Each value within a value, as the path to it.
fn paths(value: &AttributeValue, path: &[String], found: &mut Vec<Vec<String>>) {
    let below = |name: String| [path, &[name]].concat();
    match value {
        AttributeValue::M(map) if !map.is_empty() => {
            map.iter().for_each(|(name, value)| paths(value, &below(name.clone()), found));
        }
        AttributeValue::L(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(place, value)| paths(value, &below(place.to_string()), found));
        }
        _ => found.push(path.to_vec()),
    }
}

/// Another value of the same type.
fn falsified(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::S(text) => {
            let mut text: Vec<char> = text.chars().collect();
            let last = text.pop();
            text.push(if last == Some('1') { '2' } else { '1' });
            AttributeValue::S(text.into_iter().collect())
        }
        AttributeValue::N(digits) => number(digits.parse::<i64>().unwrap() + 1),
        AttributeValue::Bool(truth) => AttributeValue::Bool(!truth),
        _ => AttributeValue::S("falsified".to_owned()),
    }
}

/// Every value of every item of an account, one after the other, and every attribute taken out or put in.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_in_an_account_is_found() {
    let fund = Fund::start().await;
    fund.posted().await;
    // What lists of accounts show may be of an earlier state for an hour.
    fund.clock.advance(Duration::from_secs(3_601));
    let mut items = Vec::new();
    for partition in ["ACCOUNT", "WAITING"] {
        let query = fund.client.query().table_name(&fund.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(format!("{partition}#{NUMBER}")));
        items.append(&mut query.send().await.unwrap().items.unwrap());
    }
    assert!(items.iter().any(|item| item["sk"].as_s().unwrap().starts_with("PENDING#")), "one waits");
    let (mut tried, mut unseen) = (0, Vec::new());
    for item in &items {
        let sk = item["sk"].as_s().unwrap();
        let mut found = Vec::new();
        let attributes = item.iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str()));
        attributes.for_each(|(name, value)| paths(value, std::slice::from_ref(name), &mut found));
        let mut falsifications: Vec<(String, Item)> = Vec::new();
        for path in &found {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let mut value = &item[path[0]];
            for name in &path[1..] {
                value = match value {
                    AttributeValue::M(map) => &map[*name],
                    AttributeValue::L(list) => &list[name.parse::<usize>().unwrap()],
                    _ => unreachable!("a path leads through maps and lists"),
                };
            }
            let mut changed = item.clone();
            change(&mut changed, &path, falsified(value));
            falsifications.push((path.join("."), changed));
        }
        for name in item.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut changed = item.clone();
            changed.remove(name);
            falsifications.push((format!("without {name}"), changed));
        }
        let mut more = item.clone();
        more.insert("note".to_owned(), AttributeValue::S("of somebody".to_owned()));
        falsifications.push(("with an attribute more".to_owned(), more));
        for (what, changed) in falsifications {
            tried += 1;
            fund.put(changed).await;
            if fund.drift().await.is_empty() {
                unseen.push(format!("{sk} {what}"));
            }
        }
        fund.delete_item(item).await;
        if fund.drift().await.is_empty() {
            unseen.push(format!("{sk} deleted"));
        }
        fund.put(item.clone()).await;
    }
    assert_eq!(fund.drift().await, Vec::<String>::new());
    assert!(tried > 200, "{tried}");
    // How often an item was written says nothing of what it holds.
    unseen.retain(|what| what.split(' ').nth(1) != Some("version"));
    assert_eq!(unseen, Vec::<String>::new());
}

/// A record that waits for a member that never came counts in no account, and is held all the same.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_of_what_waits_for_a_member_is_found() {
    let fund = Fund::start().await;
    fund.posted().await;
    let mut stranger = entry("E-20", "2011-1", "COMMITMENT", 12_345, "2012-03-01");
    stranger["member_number"] = json!("777777");
    fund.import("two", &[], &[stranger]).await;
    let mut items = Vec::new();
    for partition in ["WAITING#777777", "AWAITED", "AWAITED_ACTIONS"] {
        let query = fund.client.query().table_name(&fund.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()));
        items.append(&mut query.send().await.unwrap().items.unwrap());
    }
    assert_eq!(items.len(), 3, "a record, its member, and the action of another one");
    let drift = async || fund.reconcile(json!({})).await["drift"].as_u64().unwrap();
    assert_eq!(drift().await, 0);
    for item in &items {
        fund.delete_item(item).await;
        // Nothing else leads to an account that never came.
        let one = fund.reconcile(json!({"account": "777777"})).await["drift"].as_u64().unwrap();
        assert!(one + drift().await > 0, "{item:?}");
        fund.put(item.clone()).await;
    }
    let (record, member) = (&items[0], &items[1]);
    for path in [&["content", "entry", "amount"][..], &["since"], &["batch_id"], &["source_version"]] {
        let mut changed = record.clone();
        let value = path[1..].iter().fold(&record[path[0]], |value, name| &value.as_m().unwrap()[*name]);
        change(&mut changed, path, falsified(value));
        fund.put(changed).await;
        assert_eq!(drift().await, 1, "{path:?}");
    }
    fund.put(record.clone()).await;
    let mut changed = member.clone();
    change(&mut changed, &["records"], number(2));
    fund.put(changed).await;
    assert_eq!(drift().await, 1);
    fund.put(member.clone()).await;
    assert_eq!(drift().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_with_what_stays_in_force_and_where_its_action_is() {
    let fund = Fund::start().await;
    fund.posted().await;
    let mut mistyped = entry("E-2", "2011-8", "INVOICE_RECEIVED", 80_000, "2012-02-01");
    mistyped["source_version"] = json!(2);
    let mut of_other = entry("E-21", "2011-1", "INVOICE_RECEIVED", 700, "2012-03-01");
    of_other["member_number"] = json!(OTHER);
    let mut of_stranger = entry("E-22", "2012-1", "INVOICE_RECEIVED", 7, "2012-03-01");
    of_stranger["member_number"] = json!("777777");
    let report = fund.import("two", &[], &[mistyped, of_other, of_stranger]).await;
    assert_eq!((report.posted, report.corrected, report.pending), (0, 0, 3), "{report:?}");

    let report = fund.reconcile(json!({})).await;
    assert_eq!((&report["drift"], &report["accounts"]), (&json!(0), &json!(3)), "{report}");
    let waiting = &report["waiting"];
    assert_eq!((&waiting["records"], &waiting["amount_cents"]), (&json!(4), &json!(80_000 + 700 + 7 + 100)));
    let listed = waiting["oldest"].as_array().unwrap();
    assert_eq!(waiting["since"], listed[0]["since"]);
    let of = |key: &str| listed.iter().find(|wait| wait["source_key"] == key).unwrap_or_else(|| panic!("{key}"));
    assert_eq!((&of("E-3")["batch_id"], &of("E-3")["waits_for"]), (&json!("one"), &json!("action")));
    let correction = of("E-2");
    let told = json!({"account": NUMBER, "action_id": "2011-1", "amount_cents": 90_000});
    assert_eq!((&correction["in_force"], &correction["amount_cents"]), (&told, &json!(80_000)));
    assert_eq!((&correction["action_id"], correction.get("action_in")), (&json!("2011-8"), None));
    for (key, account, waits_for) in [("E-21", OTHER, "action"), ("E-22", "777777", "member")] {
        let wait = of(key);
        assert_eq!((&wait["account"], &wait["waits_for"]), (&json!(account), &json!(waits_for)));
        assert_eq!((&wait["action_in"], wait.get("in_force")), (&json!(NUMBER), None), "{wait}");
    }
    // Of one account what waits in it, and where what it has is awaited.
    let one = fund.reconcile(json!({"account": OTHER})).await;
    assert_eq!((&one["waiting"]["records"], &one["elsewhere"]), (&json!(1), &json!([])), "{one}");
    let one = fund.reconcile(json!({"account": NUMBER})).await;
    assert_eq!(one["elsewhere"][0], json!({"action_id": "2011-1", "account": NUMBER, "awaited_in": [OTHER]}), "{one}");
    // The wait ends with what it waited for.
    let mut right = entry("E-21", "2011-1", "INVOICE_RECEIVED", 700, "2012-03-01");
    right["source_version"] = json!(2);
    let gone = json!({"record": "withdrawal", "source_key": "E-2", "source_version": 3});
    fund.import("three", &[member("777777", "53384615000035")], &[right, gone]).await;
    let report = fund.reconcile(json!({})).await;
    assert_eq!((&report["drift"], &report["waiting"]["records"]), (&json!(0), &json!(2)), "{report}");
    let waiting = report["waiting"]["oldest"].as_array().unwrap();
    assert!(waiting.iter().all(|wait| wait["waits_for"] == "action"), "{report}");
}

/// The longest that anything has waited, whatever came after it, and whatever versions of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_what_waits_is_in_the_log() {
    let fund = Fund::start().await;
    fund.posted().await;
    let age = async || {
        fund.reconcile(json!({})).await;
        let lines = fund.portal.log_lines();
        let line = lines.iter().rfind(|line| line["function"] == "reconcile").unwrap().clone();
        (line["longest_wait_s"].as_u64().unwrap(), line["level"].as_str().unwrap().to_owned())
    };
    let day = Duration::from_hours(24);
    fund.clock.advance(3 * day);
    let mut newer = entry("E-3", "later still", "COMMITMENT", 100, "2012-02-01");
    (newer["source_version"], newer["action_id"]) = (json!(2), json!("later-still"));
    fund.import("two", &[], &[newer]).await;
    assert_eq!(age().await, (3 * 86_400, "info".to_owned()));
    fund.clock.advance(day + Duration::from_secs(1));
    assert_eq!(age().await, (4 * 86_400 + 1, "warn".to_owned()));
    fund.import("three", &[], &[json!({"record": "withdrawal", "source_key": "E-3", "source_version": 3})]).await;
    assert_eq!(age().await, (0, "info".to_owned()));
}

/// A status decides what remains, so one that is altered is told by all totals that hold it, and by the indexes.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_status_is_told_by_what_remains() {
    let fund = Fund::start().await;
    fund.posted().await;
    let mut item = fund.item("ACTION#2011-1#").await;
    change(&mut item, &["shown", "s"], AttributeValue::S("CLOSED".to_owned()));
    fund.put(item).await;
    let told = fund.drift().await;
    for of in ["sums", "schemes.PLAN"] {
        let line = format!("TOTALS#2011 {of}.remaining 145000 0");
        assert!(told.contains(&line), "{line}: {told:#?}");
    }
    assert!(told.iter().any(|line| line.starts_with("FACETS#2011 sums.PLAN#CLOSED.")), "{told:#?}");
    assert!(told.iter().any(|line| line.starts_with("ACTION#2011-1# by_status ")), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_missing_or_makes_no_sense_is_told() {
    let fund = Fund::start().await;
    fund.posted().await;
    for sk in ["TOTALS#2012", "FACETS#2012", "REMITTANCE#V-1#erp#2012"] {
        let item = fund.item(sk).await;
        fund.delete(sk).await;
        assert_eq!(fund.drift().await, [format!("{sk} item nothing present")]);
        fund.put(item).await;
    }
    let mut stray = fund.item("TOTALS#2012").await;
    change(&mut stray, &["sk"], AttributeValue::S("TOTAL#2012".to_owned()));
    fund.put(stray).await;
    assert_eq!(fund.drift().await, ["TOTAL#2012 item an item of no known kind nothing"]);
    fund.delete("TOTAL#2012").await;
    let mut broken = fund.item("ACTION#2012-1#").await;
    change(&mut broken, &["shown", "s"], AttributeValue::S("LOST".to_owned()));
    fund.put(broken).await;
    let told = fund.drift().await;
    assert!(told[0].starts_with("ACTION#2012-1# item") && told.len() > 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_where_it_ended_and_an_hour_has_its_part() {
    let fund = Fund::start().await;
    fund.posted().await;
    let first = fund.reconcile(json!({"most": 1})).await;
    assert_eq!((&first["accounts"], &first["of"], &first["after"]), (&json!(1), &json!(2), &json!(NUMBER)));
    let second = fund.reconcile(json!({"most": 1, "after": NUMBER})).await;
    assert_eq!((&second["accounts"], &second["of"], second.get("after")), (&json!(1), &json!(1), None), "{second}");
    // 12345 is 9 more than a multiple of 24, 630378 is 18 more.
    for (hour, accounts) in [("09", 1), ("18", 1), ("10", 0)] {
        let time = format!("2026-11-23T{hour}:15:00Z");
        let report = fund.reconcile(json!({"detail-type": "Scheduled Event", "time": time})).await;
        assert_eq!(report["accounts"], accounts, "{hour}");
    }
    let refused = fund.portal.invoke("reconcile", json!({"acount": NUMBER})).await.unwrap_err();
    assert!(refused.to_string().contains("acount"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_an_error_in_the_log() {
    let fund = Fund::start().await;
    fund.posted().await;
    fund.reconcile(json!({})).await;
    let mut item = fund.item("TOTALS#2012").await;
    change(&mut item, &["actions"], number(0));
    fund.put(item).await;
    fund.reconcile(json!({})).await;
    let lines = fund.portal.log_lines();
    let levels: BTreeMap<&str, u64> = lines
        .iter()
        .filter(|line| line["function"] == "reconcile")
        .map(|line| (line["level"].as_str().unwrap(), line["drift"].as_u64().unwrap()))
        .collect();
    assert_eq!(levels, [("info", 0), ("error", 1)].into());
}

/// Two entries change places again and again while the account is read: each correction adds four items.
#[tokio::test(flavor = "multi_thread")]
async fn posting_meanwhile_is_no_drift() {
    let fund = Fund::start().await;
    fund.posted().await;
    let posting = async {
        for version in 3.. {
            let mut first = entry("E-1", "2011-1", "COMMITMENT", 1_000 * version, "2011-12-31");
            let mut second = entry("E-2", "2012-1", "INVOICE_RECEIVED", 90_000, "2012-02-01");
            if version % 2 == 0 {
                second["action_id"] = json!("2011-1");
            }
            first["source_version"] = json!(version);
            second["source_version"] = json!(version);
            fund.import(&format!("batch-{version}"), &[], &[first, second]).await;
        }
    };
    let function = Function::start(fund.portal.environment_of("reconcile").unwrap()).await.unwrap().in_pages_of(2);
    let reading = async {
        let (mut readings, mut busy) = (0, 0);
        // However fast this machine is: several, one of which came to an end between two postings.
        while readings < 4 || busy == readings {
            let report = function.handle(json!({"account": NUMBER})).await.unwrap();
            assert_eq!(report.drift, 0, "{report:?}");
            (readings, busy) = (readings + 1, busy + report.busy.len());
        }
    };
    tokio::select! {
        () = posting => unreachable!("there is no last version"),
        () = reading => {}
    }
    assert_eq!(fund.drift().await, Vec::<String>::new());
}

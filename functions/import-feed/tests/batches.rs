//! Whole batches, from the bucket to the ledger, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;
mod support;

use cut::Cut;
use jiff::civil::date;
use portal::domain::{Civility, Id, Identifier, MemberNumber, PersonName, RemittanceNumber, Siret, View};
use portal::environment::rng;
use portal::store::{
    Account, Action, Change, Establishment, Grant, GrantMirror, Manager, Outcome, Remittance, Role, Table, Transaction,
};
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, member};

const NUMBER: &str = "012345";
const SIRET: &str = "53384615000019";

fn small() -> Batch {
    Batch::new("2012-10-15-001")
        .member(NUMBER, SIRET, 1)
        .record(&entry("E-1", 1, NUMBER, "2011-000077", "COMMITMENT", 180_000))
        .record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"))
        .record(&entry("E-2", 1, NUMBER, "2011-000077", "PAYMENT_TO_COMPANY", 90_000))
}

fn counts(report: &Value) -> [u64; 6] {
    ["posted", "unchanged", "corrected", "stale", "quarantined", "pending"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test]
async fn the_demo_feed_is_posted_once_and_a_repeat_changes_nothing() {
    let fund = Fund::start().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/feed");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let files = ["members.ndjson", "ledger.ndjson"].map(|name| (name.to_owned(), read(name)));
    fund.upload_files("demo", files.into(), &manifest).await;
    let report = fund.arrive("demo").await;
    assert_eq!(report.get("refused"), None, "{report}");
    let lines: u64 = report["totals"]["lines"].as_u64().unwrap();
    assert_eq!(counts(&report).iter().sum::<u64>(), lines);
    assert_eq!(report["totals"]["amount_cents"], manifest["files"][1]["amount_cents"]);
    fund.reconcile().await;
    let before = fund.items(Table::Ledger).await.len();
    let again = fund.arrive("demo").await;
    assert_eq!((&again["posted"], &again["corrected"]), (&json!(0), &json!(0)));
    assert_eq!(again["pending"], report["pending"]);
    assert_eq!(fund.items(Table::Ledger).await.len(), before);
    assert_eq!(fund.object("demo/report.json").await, again);
    // 500 lines and 500 lines further: the beginning and the end are in the line of the invocation.
    let progress = fund.portal.log_lines().into_iter().filter(|line| line.get("import").is_some());
    assert!(progress.count() >= 2, "progress is in the log");
}

/// One number on all that an account was ever paid: its item would outgrow DynamoDB's 400 KB, and the batch with it.
#[tokio::test]
async fn a_transfer_number_that_stands_for_too_many_transfers_stops_no_batch() {
    let fund = Fund::start().await;
    let source = Identifier::parse("erp").unwrap();
    let number = RemittanceNumber::parse("DIVERS").unwrap();
    let mut transfer = Remittance::empty(MemberNumber::parse(NUMBER).unwrap(), source, number);
    transfer.views.entry(View::parse("2011").unwrap()).or_default().entries = 4_000;
    transfer.sent.days.insert(date(2012, 2, 10), 4_000);
    transfer.sent.banks.extend((0..4_000).map(|n| (format!("{n:060}"), 1)));
    let mut transaction = Transaction::new();
    transaction.put(&Remittance { version: 1, ..transfer }, None).unwrap();
    assert!(matches!(fund.store.commit(&transaction, &mut rng()).await, Ok(Outcome::Committed)));
    let payment = |key: &str, number: &str, bank: &str| {
        let mut record = entry(key, 1, NUMBER, "2011-000077", "PAYMENT_TO_COMPANY", 100);
        record["remittance_number"] = json!(number);
        record["bank_reference"] = json!(bank);
        record
    };
    // What makes the item no larger is posted with its number, as what has another number is.
    let (new, known) = (payment("E-3", "DIVERS", "CSTR 1"), payment("E-4", "DIVERS", &format!("{:060}", 7)));
    let batch = small().record(&new).record(&known).record(&payment("E-5", "V-1", "CSTR 1"));
    for posted in [7, 0] {
        let report = fund.import(&batch).await;
        assert_eq!(counts(&report), [posted, 7 - posted, 0, 0, 0, 0], "{report}");
        assert_eq!(fund.figures(NUMBER).await[&2011][1], 90_300);
        if posted > 0 {
            let named = &report["ignored"][0];
            assert_eq!((&named["source_key"], &named["field"]), (&json!("E-3"), &json!("remittance_number")));
            assert_eq!((&named["reason"], &named["cause"]), (&json!("ignored-field"), &json!("remittance-too-large")));
        }
    }
}

#[tokio::test]
async fn what_is_unlike_its_manifest_is_refused_whole() {
    let fund = Fund::start().await;
    for (reason, change) in [
        ("line-count", json!({"lines": 2})),
        ("amount-sum", json!({"amount_cents": 269_999})),
        ("sha256", json!({"sha256": "0".repeat(64)})),
        ("missing-file", json!({"name": "ledger-2.ndjson"})),
        ("manifest", json!({"name": "../2012-10-15-001/ledger.ndjson"})),
        ("manifest", json!({"name": "other.ndjson"})),
        ("manifest", json!({"lines": "3"})),
    ] {
        let (files, mut manifest) = small().files();
        for (field, value) in change.as_object().unwrap() {
            manifest["files"][1][field] = value.clone();
        }
        fund.upload_files("wrong", files, &manifest).await;
        let report = fund.arrive("wrong").await;
        assert_eq!(report["refused"]["reason"], reason, "{report}");
        assert_eq!(counts(&report), [0; 6]);
        assert_eq!(fund.object("wrong/report.json").await, report);
    }
    fund.put("no-json/manifest.json", b"{".to_vec()).await;
    assert_eq!(fund.arrive("no-json").await["refused"]["reason"], "manifest");
    assert_eq!((fund.items(Table::Ledger).await.len(), fund.items(Table::Members).await.len()), (0, 0));
}

#[tokio::test]
async fn other_objects_are_ignored() {
    let fund = Fund::start().await;
    for key in ["x/report.json", "x/ledger.ndjson", "x/not-manifest.json"] {
        let outcome = fund.portal.invoke("import-feed", fund.event(key)).await.unwrap();
        assert_eq!(outcome, json!({"ignored": key}));
    }
    let mut event = fund.event("x/manifest.json");
    event["detail"]["bucket"]["name"] = json!("another");
    assert_eq!(fund.portal.invoke("import-feed", event).await.unwrap(), json!({"ignored": "x/manifest.json"}));
    assert!(fund.portal.invoke("import-feed", fund.event("x/manifest.json")).await.is_err(), "worth trying again");
}

#[tokio::test]
async fn a_bad_line_is_named_with_its_reason_and_stops_no_good_one() {
    let fund = Fund::start().await;
    let changed = |field: &str, value: Value| {
        let mut record = entry("E-9", 1, NUMBER, "2011-000077", "COMMITMENT", 100);
        record[field] = value;
        record.to_string()
    };
    let mut revision = entry("E-8", 1, NUMBER, "2011-000077", "COMMITMENT_REVISION", -500);
    revision["some_field_of_tomorrow"] = json!(true);
    let without = |mut record: Value, field: &str| {
        record.as_object_mut().unwrap().remove(field);
        record.to_string()
    };
    let bad = [
        ("bad-member-number", changed("member_number", json!("12345"))),
        ("bad-date", changed("effective_date", json!("2012-02-30"))),
        ("bad-date", changed("effective_date", json!("20120210"))),
        ("bad-date", changed("effective_date", json!("0012-02-10"))),
        ("unknown-kind", changed("kind", json!("REVERSAL"))),
        ("unknown-kind", changed("kind", json!("GIFT"))),
        ("bad-amount", changed("amount_cents", json!(0))),
        ("bad-amount", changed("amount_cents", json!(1_000_000_000_001_i64))),
        ("bad-amount", changed("amount_cents", json!(1.5))),
        ("bad-amount", changed("amount_cents", json!("100"))),
        ("negative-amount", changed("amount_cents", json!(-1))),
        ("missing-field", without(entry("E-9", 1, NUMBER, "x", "COMMITMENT", 1), "amount_cents")),
        ("missing-field", without(entry("E-9", 1, NUMBER, "x", "COMMITMENT", 1), "action_id")),
        ("missing-field", without(action("A-9", 1, NUMBER, "x", "PAID", "2011-11-30"), "engagement_date")),
        ("missing-field", changed("kind", json!("CONTRIBUTION_LEGAL")).replace("\"action_id\":\"2011-000077\",", "")),
        ("date-ahead", changed("effective_date", json!("2013-10-16"))),
        ("date-ahead", action("A-9", 1, NUMBER, "x", "PAID", "2062-03-01").to_string()),
        ("bad-identifier", changed("source_key", json!("E#9"))),
        ("bad-version", changed("source_version", json!(0))),
        ("lone-surrogate", changed("kind", json!("X")).replace("\"X\"", "\"\\ud83d\"")),
        ("unknown-record", changed("record", json!("remark"))),
        ("missing-field", changed("record", json!("balance"))),
        ("unknown-status", action("A-9", 1, NUMBER, "x", "DONE", "2011-11-30").to_string()),
        ("not-json", "{".to_owned()),
        ("not-json", "[1]".to_owned()),
        ("doubled-field", changed("source_version", json!(1)).replace("\"kind\":", "\"kind\":\"RECOVERY\",\"kind\":")),
        ("blank-line", String::new()),
        ("line-too-long", changed("label", json!("x".repeat(65_536)))),
    ];
    let mut batch = small();
    for (_, line) in &bad {
        batch = batch.line(line);
    }
    let batch = batch.record(&revision);
    let (mut files, mut manifest) = batch.files();
    // A line that is no UTF-8, at the end and without a line end.
    let ledger = files.get_mut("ledger.ndjson").unwrap();
    ledger.extend_from_slice(b"{\"record\":\"entry\",\"amount_cents\":4200,\"label\":\"\xe9\"}");
    manifest["files"][1]["lines"] = json!(batch.ledger.len() + 1);
    // The back office adds up what it sent: this line, the one that is too long, and the one with half a character,
    // which this test's own parser refuses.
    manifest["files"][1]["amount_cents"] = json!(manifest["files"][1]["amount_cents"].as_i64().unwrap() + 4_300);
    manifest["files"][1]["sha256"] =
        json!(portal::domain::to_hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, ledger).as_ref()));
    fund.upload_files("bad", files, &manifest).await;
    let report = fund.arrive("bad").await;
    let named: Vec<_> = report["quarantine"].as_array().unwrap().iter().collect();
    let reasons: Vec<_> = named.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    let expected: Vec<_> = bad.iter().map(|(reason, _)| *reason).chain(["not-utf8"]).collect();
    assert_eq!(reasons, expected, "{report:#}");
    assert_eq!((named[0]["line"].as_u64(), &named[0]["source_key"]), (Some(4), &json!("E-9")));
    assert_eq!(counts(&report), [5, 0, 0, 0, bad.len() as u64 + 1, 0]);
    assert_eq!(fund.figures(NUMBER).await, [(2011, [179_500, 90_000, 0, 0])].into());
    fund.reconcile().await;
}

#[tokio::test]
async fn killed_anywhere_and_run_again_the_end_is_the_same() {
    let mut batch = small().member("630378", "53384615000027", 1);
    for index in 0..120 {
        let number = if index % 3 == 0 { "630378" } else { NUMBER };
        let id = format!("id-{}", index % 7);
        batch = batch.record(&entry(&format!("E-{index}x"), 1, number, &id, "INVOICE_RECEIVED", 100 + index));
        if index % 10 == 9 {
            let (key, number) = (format!("A-{number}-{}", index % 7), number);
            batch = batch.record(&action(&key, 1, number, &id, "INVOICED", "2012-03-01"));
        }
        if index % 8 == 7 {
            batch = batch.record(&entry(&format!("E-{index}x"), 2, NUMBER, "2011-000077", "INVOICE_RECEIVED", 50));
        }
    }
    let whole = Fund::start().await;
    whole.import(&batch).await;
    whole.reconcile().await;
    let fund = Fund::start().await;
    fund.upload(&batch).await;
    // Each run ends a little later than the one before it, and the last at its end.
    let mut cuts = 0;
    while Cut::after(3 * cuts, cuts % 2 == 1).arrive(&fund, &batch.id).await.is_none() {
        fund.reconcile().await;
        cuts += 1;
    }
    assert!(cuts > 3, "{cuts}");
    // Two at the same time, as when an event is delivered twice.
    let (first, second) = tokio::join!(fund.arrive(&batch.id), fund.arrive(&batch.id));
    assert_eq!((first["quarantined"].as_u64(), second["quarantined"].as_u64()), (Some(0), Some(0)));
    fund.reconcile().await;
    for number in [NUMBER, "630378"] {
        assert_eq!(fund.figures(number).await, whole.figures(number).await);
        let number = MemberNumber::parse(number).unwrap();
        let ids = |entries: Vec<portal::store::Entry>| entries.into_iter().map(|e| e.entry_id).collect::<Vec<_>>();
        assert_eq!(ids(fund.entries(&number).await), ids(whole.entries(&number).await));
    }
}

#[tokio::test]
async fn every_cent_of_the_manifest_is_in_one_of_the_control_totals() {
    let fund = Fund::start().await;
    let on = |key, version, id, cents| entry(key, version, NUMBER, id, "COMMITMENT", cents);
    let mut unknown = on("E-9", 1, "a", 1_000_000);
    unknown["member_number"] = json!("999999");
    let first = Batch::new("one").member(NUMBER, SIRET, 1).record(&on("E-0", 2, "a", 1));
    assert_eq!(counts(&fund.import(&first).await), [1, 0, 0, 0, 0, 1]);
    let mut batch = Batch::new("two")
        .record(&on("E-0", 1, "a", 10))
        .record(&on("E-1", 1, "late", 100))
        .record(&on("E-1", 2, "late", 1_000))
        .record(&on("E-1", 2, "late", 1_000))
        .record(&on("E-2", 1, "late", 10_000))
        .record(&on("E-2", 2, "a", 20_000))
        .record(&on("E-3", 1, "never", 100_000))
        .record(&on("E-4", 1, "a", -7))
        .record(&unknown);
    // The actions come in another piece.
    batch.ledger.extend(std::iter::repeat_n(json!({"filler": "x".repeat(60_000)}).to_string(), 20));
    let comes = |key, id| action(key, 1, NUMBER, id, "COMMITTED", "2011-11-30");
    let batch = batch.record(&comes("A-1", "a")).record(&comes("A-2", "late"));
    let report = fund.import(&batch).await;
    // Replaced while they waited: E-0, E-1 and E-2 in their first versions.
    assert_eq!((&report["stale"], &report["totals"]["stale_cents"]), (&json!(3), &json!(10_110)), "{report:#}");
    assert_eq!((&report["posted"], &report["unchanged"]), (&json!(4), &json!(1)));
    assert_eq!(report["totals"]["quarantined_cents"], -7);
    // One waits for its action, one for its member.
    assert_eq!((&report["pending"], &report["totals"]["pending_cents"]), (&json!(2), &json!(1_100_000)));
    assert_eq!(report["released"], 1);
    let kinds = ["posted", "unchanged", "pending", "stale", "quarantined"];
    let cents = kinds.map(|kind| report["totals"][format!("{kind}_cents")].as_i64().unwrap());
    assert_eq!(cents.iter().sum::<i64>(), report["totals"]["amount_cents"].as_i64().unwrap(), "{report:#}");
    assert_eq!(counts(&report).iter().sum::<u64>(), 31);
    fund.reconcile().await;
}

#[tokio::test]
async fn what_waits_is_released_by_a_repeat_too() {
    let fund = Fund::start().await;
    let entry = entry("E-1", 1, NUMBER, "a", "COMMITMENT", 1_000);
    let report = fund.import(&Batch::new("one").member(NUMBER, SIRET, 1).record(&entry)).await;
    assert_eq!(counts(&report), [1, 0, 0, 0, 0, 1]);
    // As a run leaves it that is cut off between the action and the release.
    let number = MemberNumber::parse(NUMBER).unwrap();
    let key = Action::key_of(&number, &Identifier::parse("a").unwrap());
    let mut waiting: Action = fund.store.get(&key).await.unwrap().unwrap();
    let aside = Action { waiting: 0, ..waiting.clone() };
    fund.store.put(&aside).await.unwrap();
    fund.import(&Batch::new("two").record(&action("A-1", 1, NUMBER, "a", "COMMITTED", "2011-11-30"))).await;
    waiting = fund.store.get(&key).await.unwrap().unwrap();
    fund.store.put(&Action { waiting: 1, ..waiting }).await.unwrap();
    assert_eq!(fund.figures(NUMBER).await, [(2011, [0, 0, 0, 0])].into());
    let report = fund.import(&Batch::new("three").record(&entry)).await;
    assert_eq!(counts(&report), [1, 0, 0, 0, 0, 0], "{report}");
    assert_eq!(fund.figures(NUMBER).await, [(2011, [1_000, 0, 0, 0])].into());
    fund.reconcile().await;
}

#[tokio::test]
async fn members_are_new_changed_closed_and_never_two_on_one_siret() {
    let fund = Fund::start().await;
    let other = "53384615000027";
    let report = fund.import(&Batch::new("one").member(NUMBER, SIRET, 1).member("630378", SIRET, 1)).await;
    assert_eq!(report["quarantine"][0]["reason"], "siret-of-another-account");
    assert_eq!(counts(&report), [1, 0, 0, 0, 1, 0]);
    let number = MemberNumber::parse(NUMBER).unwrap();
    let seat = |siret: &str| Establishment::key_of(&Siret::parse(siret).unwrap());
    // The account moves to another SIRET; the old one is free for another account.
    let mut moved = member(NUMBER, other, 2);
    moved["name"] = json!("AUTRE NOM");
    moved.as_object_mut().unwrap().remove("headcount_band");
    let mut batch = Batch::new("two").member(NUMBER, SIRET, 1).member("630378", SIRET, 1);
    batch.members.insert(1, moved.to_string());
    let report = fund.import(&batch).await;
    assert_eq!(counts(&report), [1, 1, 1, 0, 0, 0], "{report}");
    let account: Account = fund.store.get(&Account::key_of(&number)).await.unwrap().unwrap();
    assert_eq!((account.siret.as_str(), account.name.as_str(), account.headcount_band), (other, "AUTRE NOM", None));
    let old: Establishment = fund.store.get(&seat(SIRET)).await.unwrap().unwrap();
    let new: Establishment = fund.store.get(&seat(other)).await.unwrap().unwrap();
    assert_eq!((old.member_number.as_str(), new.member_number.as_str()), ("630378", NUMBER));
    // It closes, and another takes its SIRET.
    let mut closed = member(NUMBER, other, 3);
    closed["closed_on"] = json!("2012-03-31");
    let mut batch = Batch::new("three");
    batch.members = vec![closed.to_string(), member(NUMBER, other, 2).to_string(), moved.to_string()];
    let report = fund.import(&batch.member("248411", other, 1)).await;
    assert_eq!(counts(&report), [1, 0, 1, 2, 0, 0], "{report}");
    let seat: Establishment = fund.store.get(&seat(other)).await.unwrap().unwrap();
    assert_eq!((seat.member_number.as_str(), seat.is_open(date(2012, 4, 1))), ("248411", true));
}

#[tokio::test]
async fn a_company_that_moves_takes_its_manager_and_its_grants_along() {
    let fund = Fund::start().await;
    let (number, other) = (MemberNumber::parse(NUMBER).unwrap(), "53384615000027");
    let key = |siret: &str| Establishment::key_of(&Siret::parse(siret).unwrap());
    fund.import(&Batch::new("one").member(NUMBER, SIRET, 1)).await;
    let since = jiff::Timestamp::UNIX_EPOCH;
    let manager = Manager {
        user_id: Id::from_bytes([1; 16]),
        civility: Civility::Mme,
        last_name: PersonName::parse("Martin").unwrap(),
        since,
    };
    let mut seat: Establishment = fund.store.get(&key(SIRET)).await.unwrap().unwrap();
    seat.manager = Some(manager.clone());
    fund.store.put(&seat).await.unwrap();
    fund.store.update(&Account::key_of(&number), &Change::new().set("active", &true).unwrap(), None).await.unwrap();
    // More than fit into one transaction.
    for user in 1..=60 {
        let grant = Grant {
            user_id: Id::from_bytes([user; 16]),
            member_number: number.clone(),
            role: if user == 1 { Role::Manager } else { Role::Reader },
            siret: seat.siret.clone(),
            name: seat.name.clone(),
            active: true,
            since,
            invitation_id: None,
            given_at: None,
            sirets_before: Vec::new(),
        };
        fund.store.put(&grant).await.unwrap();
        fund.store.put(&GrantMirror(grant)).await.unwrap();
    }
    let report = fund.import(&Batch::new("two").member(NUMBER, other, 2)).await;
    assert_eq!(counts(&report), [0, 0, 1, 0, 0, 0], "{report}");
    assert_eq!(fund.store.get::<Establishment>(&key(SIRET)).await.unwrap(), None);
    let moved: Establishment = fund.store.get(&key(other)).await.unwrap().unwrap();
    assert_eq!((moved.manager.clone(), moved.is_open(date(2012, 4, 1))), (Some(manager), true));
    let account: Account = fund.store.get(&Account::key_of(&number)).await.unwrap().unwrap();
    assert!(account.active && account.siret.as_str() == other);
    let mirrors: Vec<GrantMirror> = fund.store.query_all(&Grant::all_on(&number)).await.unwrap();
    assert_eq!(mirrors.len(), 60);
    for GrantMirror(mirror) in mirrors {
        let grant: Grant = fund.store.get(&Grant::key_of(mirror.user_id, &number)).await.unwrap().unwrap();
        assert_eq!((grant.siret.as_str(), &grant), (other, &mirror));
    }
    // Closed, it keeps its readers and takes no claims.
    let mut closed = member(NUMBER, other, 3);
    closed["closed_on"] = json!("2012-03-31");
    let mut batch = Batch::new("three");
    batch.members.push(closed.to_string());
    fund.import(&batch).await;
    let seat: Establishment = fund.store.get(&key(other)).await.unwrap().unwrap();
    assert!(!seat.is_open(date(2012, 4, 1)) && seat.manager.is_some());
}

//! Records that the store will not hold are put aside alone, and a batch at the bounds of the contract comes to its end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/bounds.rs"]
mod bounds;
mod support;

use bounds::{ACCOUNTS, Bounds};
use portal::clock::Clock;
use portal::domain::{Identifier, MemberNumber, Siret};
use portal::environment::rng;
use portal::store::{Account, Action, Outcome, Remittance, Table, Transaction};
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, member};

const NUMBER: &str = "012345";
const OTHER: &str = "630378";

fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

fn number(text: &str) -> MemberNumber {
    MemberNumber::parse(text).unwrap()
}

async fn write(fund: &Fund, change: impl FnOnce(&mut Transaction)) {
    let mut transaction = Transaction::new();
    change(&mut transaction);
    assert!(matches!(fund.store.commit(&transaction, &mut rng()).await, Ok(Outcome::Committed)));
}

/// Makes an action so large that its item holds nothing more.
async fn fill(fund: &Fund, account: &str, id: &str) {
    let key = Action::key_of(&number(account), &identifier(id));
    let stored: Action = fund.store.get(&key).await.unwrap().unwrap();
    for length in (0..400 * 1_024).rev() {
        let mut state = stored.state.clone().unwrap();
        state.title = "x".repeat(length);
        let mut transaction = Transaction::new();
        transaction.put(&Action { state: Some(state), ..stored.clone() }, None).unwrap();
        if fund.store.commit(&transaction, &mut rng()).await.is_ok() {
            return;
        }
    }
}

fn reasons(report: &Value) -> Vec<(&str, &str)> {
    let quarantine = report["quarantine"].as_array().unwrap().iter();
    quarantine.map(|line| (line["source_key"].as_str().unwrap(), line["reason"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_record_that_the_store_refuses_is_put_aside_alone() {
    let fund = Fund::start().await;
    let small = |number: &str, id: &str, key: &str| action(key, 1, number, id, "PARTLY_PAID", "2011-11-30");
    let start = Batch::new("start").member(NUMBER, "53384615000019", 1).member(OTHER, "53384615000027", 1);
    fund.import(&start.record(&small(NUMBER, "large", "A-1")).record(&small(NUMBER, "small", "A-2"))).await;
    fill(&fund, NUMBER, "large").await;
    let on = |key: &str, id: &str| entry(key, 1, NUMBER, id, "COMMITMENT", 1_000_000);
    // Amid forty that fit into its transaction.
    let mut batch = Batch::new("batch");
    for place in 0..40 {
        batch = batch.record(&on(&format!("S-{place}"), "small"));
        if place == 20 {
            batch = batch.record(&on("L-1", "large")).record(&on("L-2", "large"));
        }
    }
    for posted in [40, 0] {
        let report = fund.import(&batch).await;
        assert_eq!((&report["posted"], &report["unchanged"]), (&json!(posted), &json!(40 - posted)), "{report}");
        assert_eq!(reasons(&report), [("L-1", "refused-by-store"), ("L-2", "refused-by-store")]);
        assert_eq!(report["totals"]["quarantined_cents"], 2_000_000);
        assert_eq!(fund.figures(NUMBER).await[&2011][0], 40_000_000);
    }
}

/// A record that waited is not asked for again with each batch, where its member has come and the store refuses it.
#[tokio::test]
async fn a_record_that_waited_and_is_refused_waits_no_longer() {
    let fund = Fund::start().await;
    let waiting = [
        entry("L-1", 1, NUMBER, "large", "COMMITMENT", 1_000_000),
        entry("S-1", 1, NUMBER, "small", "COMMITMENT", 1_000_000),
    ];
    let batch = waiting.iter().fold(Batch::new("early"), Batch::record);
    assert_eq!(fund.import(&batch).await["pending"], 2);
    let place = |id: &str, key: &str| action(key, 1, OTHER, id, "PARTLY_PAID", "2011-11-30");
    let actions = Batch::new("actions").member(OTHER, "53384615000027", 1);
    fund.import(&actions.record(&place("large", "A-1")).record(&place("small", "A-2"))).await;
    // As if the account had had them before it came.
    for id in ["large", "small"] {
        let key = Action::key_of(&number(OTHER), &identifier(id));
        let stored: Action = fund.store.get(&key).await.unwrap().unwrap();
        let moved = Action { member_number: number(NUMBER), version: 1, ..stored };
        write(&fund, |transaction| {
            transaction.put(&moved, None).unwrap();
        })
        .await;
    }
    fill(&fund, NUMBER, "large").await;
    let report = fund.import(&Batch::new("member").member(NUMBER, "53384615000019", 1)).await;
    assert_eq!(reasons(&report), [("L-1", "refused-by-store")], "{report}");
    assert_eq!((&report["released"], &report["quarantine"][0]["batch_id"]), (&json!(1), &json!("early")));
    let waits = fund.items(Table::Ledger).await.into_iter().filter(|item| {
        let named = |name: &str, begins: &str| item[name].as_s().unwrap().starts_with(begins);
        named("sk", "WAITING#") || named("pk", "AWAITED")
    });
    assert_eq!(waits.count(), 0);
    // Sent again it is looked at again.
    let again = fund.import(&Batch::new("again").record(&waiting[0]).record(&waiting[1])).await;
    assert_eq!((&again["unchanged"], reasons(&again)), (&json!(1), vec![("L-1", "refused-by-store")]), "{again}");
}

#[tokio::test]
async fn a_member_that_left_too_many_sirets_is_put_aside_alone() {
    let fund = Fund::start().await;
    fund.import(&Batch::new("start").member(NUMBER, "53384615000019", 1).member(OTHER, "53384615000027", 1)).await;
    let stored: Account = fund.store.get(&Account::key_of(&number(OTHER))).await.unwrap().unwrap();
    let siret = |place: usize| (0..10).find_map(|check| Siret::parse(&format!("73282932{place:05}{check}")).ok());
    let sirets_before: Vec<_> = (0..).filter_map(siret).take(1_000).collect();
    write(&fund, |transaction| {
        transaction.put(&Account { sirets_before, ..stored }, None).unwrap();
    })
    .await;
    let mut batch = Batch::new("batch").member(OTHER, "53384615000035", 2).member("999999", "53384615000043", 1);
    batch.members.push(member(OTHER, "53384615000027", 3).to_string());
    let report = fund.import(&batch).await;
    assert_eq!(reasons(&report), [(OTHER, "siret-changed-too-often")], "{report}");
    assert_eq!((&report["posted"], &report["corrected"]), (&json!(1), &json!(1)), "the SIRET that it has is none more");
}

/// Thousands of payments, each with a reference of its own, wait for one action under one number.
#[tokio::test]
async fn payments_under_one_number_that_wait_for_one_action_are_all_posted_when_it_comes() {
    const PAYMENTS: usize = 900;
    let fund = Fund::start().await;
    fund.import(&Batch::new("members").member(NUMBER, "53384615000019", 1)).await;
    let payment = |place: usize, version: u64| {
        let mut record = entry(&format!("E-{place}"), version, NUMBER, "2011-000077", "PAYMENT_TO_COMPANY", 100);
        record["remittance_number"] = json!("DIVERS");
        record["bank_reference"] = json!(format!("{place:04}{}", "é".repeat(136)));
        record
    };
    let payments = (0..PAYMENTS).fold(Batch::new("payments"), |batch, place| batch.record(&payment(place, 1)));
    let report = fund.import(&payments).await;
    assert_eq!(report["pending"], PAYMENTS, "{report}");
    let the_action = Batch::new("action").record(&action("A-77", 1, NUMBER, "2011-000077", "PAID", "2011-11-30"));
    let report = fund.import(&the_action).await;
    assert_eq!((&report["released"], &report["quarantined"]), (&json!(PAYMENTS), &json!(0)), "{report}");
    assert_eq!(fund.figures(NUMBER).await[&2011][1], 90_000);
    let of = (&number(NUMBER), &identifier("erp"), &"DIVERS".to_owned().try_into().unwrap());
    let key = Remittance::key_of(of.0, of.1, of.2);
    let transfer: Remittance = fund.store.get(&key).await.unwrap().unwrap();
    let lines = transfer.unreversed();
    assert!((600..800).contains(&lines), "200 KB have so many: {lines}");
    let ignored = u64::try_from(PAYMENTS).unwrap() - lines;
    assert_eq!(report["by_reason"], json!({"ignored-field": ignored}));
    // Nothing is committed, and all are of one amount and day.
    let warnings = json!({"paid-above-committed": 1, "same-payment": 1, "transfer-of-several": PAYMENTS - 1});
    assert_eq!(report["warnings"], warnings);
    // A correction of a line of it is a line of it.
    let report = fund.import(&Batch::new("correction").record(&payment(3, 2))).await;
    assert_eq!((&report["corrected"], &report["by_reason"]), (&json!(1), &json!({})), "{report}");
    // Its action moves to another view: all of it moves along.
    let moved = Batch::new("moved").record(&action("A-77", 2, NUMBER, "2011-000077", "PAID", "2012-11-30"));
    let report = fund.import(&moved).await;
    assert_eq!((&report["corrected"], &report["by_reason"]), (&json!(1), &json!({})), "{report}");
    let transfer: Remittance = fund.store.get(&key).await.unwrap().unwrap();
    assert_eq!((transfer.unreversed(), transfer.views.len()), (lines, 2));
    assert_eq!(fund.figures(NUMBER).await, [(2012, [0, 90_000, 0, 0])].into());
    fund.reconcile().await;
}

async fn post_at_the_bounds(records: usize, seed: u64) {
    let fund = Fund::with(Clock::system(), &[("SplitAbove", "1000000")]).await;
    let mut bounds = Bounds::of(seed);
    let mut batch = Batch::new("bounds");
    for place in 0..records {
        if place % 1_000 == 0 {
            let (number, siret) = (ACCOUNTS[place / 1_000 % 3], ["53384615000019", "53384615000027", "53384615000035"]);
            batch = batch.member(number, siret[place / 1_000 % 3], 1);
        }
        batch = batch.record(&bounds.record());
        if (place + 1) % 1_000 == 0 {
            let (files, mut manifest) = batch.files();
            manifest["created_at"] = json!("2100-12-31T00:00:00Z");
            let folder = format!("{seed}-{place}");
            manifest["batch_id"] = json!(folder);
            fund.upload_files(&folder, files, &manifest).await;
            let report = fund.arrive(&folder).await;
            let reasons = report["by_reason"].as_object().unwrap();
            assert!(report.get("refused").is_none(), "{report}");
            assert!(!reasons.contains_key("refused-by-store"), "{report}");
            batch = Batch::new("bounds");
        }
    }
    fund.reconcile().await;
}

/// A thousand; with `AT_THE_BOUNDS=5000` as many as one has minutes for.
#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "how many is up to who runs it")]
async fn a_batch_of_records_at_the_bounds_comes_to_its_end() {
    let records = std::env::var("AT_THE_BOUNDS").map_or(1_000, |given| given.parse().expect("a number of records"));
    post_at_the_bounds(records, 7).await;
}

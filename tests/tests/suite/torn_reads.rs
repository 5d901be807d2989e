//! Transactions of which a read meets half: what has sums is added up, and read again, or nobody is told anything.

use std::time::Duration;

use harness::{ACCOUNT, Reply, Torn, Visitor, World, lines};
use serde_json::{Value, json};

/// A read, and the items of a transaction without which it is torn.
struct Case {
    target: &'static str,
    held: [&'static str; 2],
}

async fn get(marie: &Visitor, target: &str) -> Reply {
    marie.get(&format!("/api/accounts/{ACCOUNT}/{target}")).await
}

/// The answer without its time.
async fn read(marie: &Visitor, target: &str) -> Value {
    let mut body = get(marie, target).await.expect(200).body;
    body.as_object_mut().unwrap().remove("as_of").expect("when");
    body
}

fn entry(key: &str, version: u64, fields: &Value) -> Value {
    let mut record = json!({"record": "entry", "source_key": key, "source_version": version, "member_number": ACCOUNT,
        "label": "Écriture"});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

/// Posts a record, and has each read meet it without each of the items: once, and all the time.
async fn tear(record: Value, cases: &[Case]) {
    let (torn, options) = Torn::on_reads_of("query-ledger");
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let mut before = Vec::new();
    for case in cases {
        before.push(read(&marie, case.target).await);
    }
    let report = world.import("2012-10-16-001", "", &lines(&[record])).await;
    assert_eq!((report.posted + report.corrected, report.quarantined), (1, 0));
    for (Case { target, held }, before) in cases.iter().zip(before) {
        for held in held {
            torn.hold_back(held, usize::MAX);
            let refused = get(&marie, target).await.expect_problem(503, "try-again");
            assert!(refused.retry_after() > 0);
            assert_eq!(torn.release(), 5, "{held} of {target}: read five times at most");
            torn.hold_back(held, 1);
            let torn_once = read(&marie, target).await;
            assert_eq!(torn.release(), 1, "{held} of {target}");
            let after = read(&marie, target).await;
            assert_eq!(torn_once, after, "{held} of {target}");
            assert_ne!(after, before, "{target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_seen_with_all_that_it_moves_or_not_at_all() {
    let payment = entry(
        "E-NEW",
        1,
        &json!({"action_id": "2012-000001", "kind": "PAYMENT_TO_COMPANY", "payee": "COMPANY", "amount_cents": 10_001,
            "effective_date": "2012-03-05", "remittance_number": "V-2012-0055", "bank_reference": "CSTR 0055"}),
    );
    let (action, entries) = ("ACTION#2012-000001#", "ACTION#2012-000001#ENTRY#*");
    let cases = [
        Case { target: "actions/2012-000001", held: [action, entries] },
        Case { target: "remittances/V-2012-0055", held: ["REMITTANCE#V-2012-0055#erp#", entries] },
        Case { target: "remittance?number=V-2012-0055", held: ["REMITTANCE#V-2012-0055#erp#", entries] },
        Case { target: "actions?view=2012&q=habilitation", held: ["FACETS#2012", action] },
        Case { target: "actions?sort=title", held: ["FACETS#2012", action] },
    ];
    tear(payment, &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_to_another_year_is_seen_in_one_of_them() {
    // C-3 was of 2012.
    let moved = entry(
        "C-3",
        2,
        &json!({"kind": "CONTRIBUTION_VOLUNTARY", "amount_cents": 40_000, "effective_date": "2013-02-28",
            "contribution_year": 2011}),
    );
    tear(moved, &[Case { target: "summary", held: ["TOTALS#2011", "TOTALS#2012"] }]).await;
}

/// A page and the state that it names are two reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_of_the_state_that_it_names() {
    let (torn, options) = Torn::on_reads_of("query-ledger");
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    world.advance(Duration::from_secs(120));
    let contribution = json!({"kind": "CONTRIBUTION_LEGAL", "amount_cents": 1_234, "effective_date": "2012-03-05",
        "contribution_year": 2012});
    let payment = json!({"action_id": "2012-000001", "kind": "PAYMENT_TO_COMPANY", "amount_cents": 10_001,
        "effective_date": "2012-03-05", "remittance_number": "V-2012-0055"});
    let cases = [
        ("ledger?view=2012", "CONTRIBUTION#*", "FACETS#2012"),
        ("ledger?from=2012-01-01", "CONTRIBUTION#*", "FACETS#*"),
        ("ledger", "CONTRIBUTION#*", "FACETS#*"),
        ("contributions?view=2012", "CONTRIBUTION#*", "FACETS#2012"),
        ("actions?view=2012", "ACTION#2012-000001#", "FACETS#2012"),
        ("remittances?view=2012", "REMITTANCE#V-2012-0055#erp#", "FACETS#*"),
        ("remittances", "REMITTANCE#V-2012-0055#erp#", "FACETS#*"),
        ("remittances?q=0055", "REMITTANCE#V-2012-0055#erp#", "FACETS#*"),
    ];
    let answer = async |target| get(&marie, target).await.expect(200).body;
    let mut before = Vec::new();
    for (target, ..) in cases {
        before.push(answer(target).await);
    }
    // From here on nothing is remembered as it was before.
    torn.hold_back("nothing", 1);
    torn.release();
    let records = [entry("C-NEW", 1, &contribution), entry("E-NEW", 1, &payment)];
    assert_eq!(world.import("2012-10-16-001", "", &lines(&records)).await.posted, 2);
    for ((target, rows, state), before) in cases.into_iter().zip(before) {
        let after = answer(target).await;
        assert!(after["as_of"].as_str() > before["as_of"].as_str(), "{target}: {after}");
        assert!(after["postings"].as_u64() > before["postings"].as_u64(), "{target}: {after}");
        // Rows of before: what was booked up to `as_of` is asked for once more, unless the rows were read behind it.
        torn.hold_back(rows, 1);
        let with_rows_of_before = answer(target).await;
        let held = torn.release();
        if !target.starts_with("ledger?from") {
            assert!(held == 1 && with_rows_of_before == after, "{target}: {held}, {with_rows_of_before} and {after}");
        }
        // A state of before: what is newer than it is left out where rows say when they were booked.
        torn.hold_back(state, usize::MAX);
        let with_state_of_before = answer(target).await;
        assert!(torn.release() > 0, "{target}");
        assert_eq!(with_state_of_before["as_of"], before["as_of"], "{target}");
        if target.starts_with("ledger") || target.starts_with("contributions") {
            assert_eq!(with_state_of_before, before, "{target}");
        }
    }
}

//! Transactions of which a read meets half: what has sums is added up, and read again, or nobody is told anything.

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

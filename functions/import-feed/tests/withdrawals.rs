//! Batches that take records back, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;
mod support;

use cut::Cut;
use portal::domain::MemberNumber;
use portal::store::Table;
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, withdrawal};

const NUMBER: &str = "012345";
const ACTION: &str = "2011-000077";

fn members() -> Batch {
    Batch::new("one").member(NUMBER, "53384615000019", 1).member("630378", "53384615000027", 1)
}

/// Two actions; the first has a commitment and a payment that never was.
fn first() -> Batch {
    members()
        .record(&action("A-77", 1, NUMBER, ACTION, "PARTLY_PAID", "2011-11-30"))
        .record(&action("A-78", 1, "630378", "2011-000078", "COMMITTED", "2011-11-30"))
        .record(&entry("E-1", 1, NUMBER, ACTION, "COMMITMENT", 180_000))
        .record(&entry("E-2", 1, NUMBER, ACTION, "PAYMENT_TO_COMPANY", 90_000))
        .record(&entry("E-3", 1, "630378", "later", "COMMITMENT", 1_000))
}

fn counts(report: &Value) -> [u64; 6] {
    ["posted", "unchanged", "withdrawn", "stale", "quarantined", "pending"]
        .map(|name| report.get(name).map_or(0, |count| count.as_u64().unwrap()))
}

/// Cut off at any call and begun again, and sent once more: the payment is reversed once.
#[tokio::test]
async fn a_batch_of_withdrawals_may_be_cut_off_anywhere_and_sent_again() {
    let fund = Fund::start().await;
    fund.import(&first()).await;
    assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 90_000, 0, 0])].into());
    let batch = Batch::new("two")
        .record(&withdrawal("E-2", 2))
        .record(&withdrawal("A-78", 2))
        .record(&withdrawal("E-3", 2))
        .record(&withdrawal("E-99", 1))
        .record(&withdrawal("A-77", 2))
        .line(r#"{"record":"withdrawal","source_key":"E-1"}"#);
    fund.upload(&batch).await;
    let mut cuts = 0;
    while Cut::after(cuts, cuts % 2 == 1).arrive(&fund, "two").await.is_none() {
        fund.reconcile().await;
        cuts += 1;
    }
    assert!(cuts > 8, "{cuts}");
    let report = fund.arrive("two").await;
    assert_eq!(counts(&report), [0, 4, 0, 0, 2, 0], "{report:#}");
    assert_eq!(report["by_reason"], json!({"action-in-use": 1, "missing-field": 1}));
    assert_eq!(report["warnings"], json!({"withdrawal-of-nothing": 1}));
    assert_eq!(
        report["warned"],
        json!([{"file": "ledger.ndjson", "line": 4, "warning": "withdrawal-of-nothing", "source_key": "E-99"}])
    );
    assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 0, 0, 0])].into());
    assert_eq!(fund.figures("630378").await, [].into());
    assert_eq!(fund.entries(&MemberNumber::parse(NUMBER).unwrap()).await.len(), 3);
    fund.reconcile().await;
}

/// Records and withdrawals of their keys within one batch, in the order of the file.
#[tokio::test]
async fn a_batch_may_withdraw_what_it_brought_and_bring_it_again() {
    let fund = Fund::start().await;
    let batch = first()
        .record(&withdrawal("A-77", 2))
        .record(&withdrawal("E-1", 2))
        .record(&withdrawal("E-2", 2))
        .record(&withdrawal("A-77", 2))
        .record(&withdrawal("E-3", 2))
        .record(&action("A-77", 3, NUMBER, ACTION, "COMMITTED", "2012-01-05"))
        .record(&entry("E-1", 3, NUMBER, ACTION, "COMMITMENT", 7_000));
    let report = fund.import(&batch).await;
    assert_eq!(report["by_reason"], json!({"action-in-use": 1, "stale-version": 1}), "{report:#}");
    // Members, two actions twice, two entries twice; E-3 waited until it was withdrawn.
    assert_eq!(counts(&report), [8, 0, 4, 1, 1, 0], "{report:#}");
    let totals = &report["totals"];
    assert_eq!((&totals["posted_cents"], &totals["stale_cents"]), (&json!(277_000), &json!(1_000)));
    assert_eq!(fund.figures(NUMBER).await, [(2012, [7_000, 0, 0, 0])].into());
    fund.reconcile().await;
    let items = fund.items(Table::Ledger).await.len();
    let again = fund.arrive("one").await;
    assert_eq!(fund.items(Table::Ledger).await.len(), items);
    assert_eq!((&again["posted"], &again["withdrawn"]), (&json!(0), &Value::Null), "{again:#}");
}

/// An action is withdrawn in the batch that takes its last entry from it, whichever of the two is of a key that the batch
/// has more of.
#[tokio::test]
async fn an_action_is_withdrawn_after_all_that_stands_before_it_in_the_file() {
    let fund = Fund::start().await;
    fund.import(&first()).await;
    let batch = Batch::new("two")
        .record(&entry("E-5", 1, "630378", "later", "COMMITMENT", 1))
        .record(&withdrawal("E-5", 2))
        .record(&withdrawal("E-2", 2))
        .record(&entry("E-1", 2, "630378", "2011-000078", "COMMITMENT", 180_000))
        .record(&withdrawal("A-77", 2));
    assert_eq!(counts(&fund.import(&batch).await), [0, 0, 3, 1, 0, 0]);
    assert_eq!((fund.figures(NUMBER).await, fund.figures("630378").await), {
        ([].into(), [(2011, [180_000, 0, 0, 0])].into())
    });
    let batch = Batch::new("three")
        .record(&action("A-78", 2, "630378", "2011-000078", "CLOSED", "2011-11-30"))
        .record(&withdrawal("E-1", 3))
        .record(&withdrawal("A-78", 3));
    assert_eq!(counts(&fund.import(&batch).await), [0, 0, 2, 0, 0, 0]);
    assert_eq!(fund.figures("630378").await, [].into());
    fund.reconcile().await;
}

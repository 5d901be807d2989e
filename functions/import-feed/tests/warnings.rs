//! The warnings in the report of a batch, whatever the order of its lines, and in pieces too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use portal::clock::Clock;
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry};

const NUMBER: &str = "012345";

/// An action that is paid: its payment before its commitment, and one more line for each of many others.
fn batch(id: &str, committed: i64) -> Batch {
    let mut batch = Batch::new(id)
        .member(NUMBER, "53384615000019", 1)
        .record(&action("A-1", 1, NUMBER, "2011-1", "PAID", "2011-11-30"))
        .record(&entry("E-1", 1, NUMBER, "2011-1", "PAYMENT_TO_COMPANY", 90_000));
    for n in 0..30 {
        batch = batch.record(&action(&format!("B-{n}"), 1, NUMBER, &format!("of-{n}"), "COMMITTED", "2011-11-30"));
    }
    batch.record(&entry("E-2", 1, NUMBER, "2011-1", "COMMITMENT", committed)).record(&action(
        "A-2",
        1,
        NUMBER,
        "2011-2",
        "PAID",
        "2011-11-30",
    ))
}

async fn both(batch: impl Fn(&str) -> Vec<Batch>) -> Value {
    let mut reports = Vec::new();
    for parameters in [&[][..], &[("SplitAbove", "10"), ("ImportWorkers", "3")]] {
        let fund = Fund::with(Clock::system(), parameters).await;
        let mut last = Value::Null;
        for batch in batch("one") {
            fund.import(&batch).await;
            // Workers of its own post the pieces.
            fund.portal.drain().await.unwrap();
            last = fund.object(&format!("{}/report.json", batch.id)).await;
        }
        reports.push(json!({"warnings": last["warnings"], "warned": last["warned"], "totals": last["totals"]}));
    }
    assert_eq!(reports[0], reports[1], "a batch in pieces warns of the same");
    reports.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_end_of_a_batch_sets_right_is_not_warned_of() {
    let report = both(|id| vec![batch(id, 90_000)]).await;
    assert_eq!(report["warnings"], json!({"paid-without-payment": 1}));
    assert_eq!(
        report["warned"],
        json!([{"file": "ledger.ndjson", "line": 34, "warning": "paid-without-payment", "source_key": "A-2",
            "committed_cents": 0, "paid_cents": 0}])
    );
    let report = both(|id| vec![batch(id, 89_999)]).await;
    assert_eq!(report["warnings"], json!({"paid-above-committed": 1, "paid-without-payment": 1}));
    let told = &report["warned"][0];
    assert_eq!((&told["committed_cents"], &told["paid_cents"]), (&json!(89_999), &json!(90_000)), "{report}");
    // What is warned of is in the control totals as it was sent.
    assert_eq!(report["totals"]["posted_cents"], 90_000 + 89_999);
}

/// A correction that names an action which comes behind it in the same batch waits for a moment and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_warned_of_where_it_waits_when_the_batch_is_posted() {
    let correction = |id: &str| {
        let mut batch = Batch::new(id).record(&entry("E-2", 2, NUMBER, "2011-9", "COMMITMENT", 80_000));
        for n in 0..30 {
            let name = format!("of-{n}");
            batch = batch.record(&action(&format!("B-{n}"), 2, NUMBER, &name, "CLOSED", "2011-11-30"));
        }
        batch
    };
    let waits = both(|id| vec![batch(id, 90_000), correction("two")]).await;
    assert_eq!(waits["warnings"], json!({"pending-correction": 1}));
    let told = json!([{"file": "ledger.ndjson", "line": 1, "warning": "pending-correction", "source_key": "E-2",
        "amount_cents": 80_000, "in_force_cents": 90_000}]);
    assert_eq!((&waits["warned"], &waits["totals"]["pending_cents"]), (&told, &json!(80_000)));
    let comes = action("A-9", 1, NUMBER, "2011-9", "COMMITTED", "2011-11-30");
    let came = both(|id| vec![batch(id, 90_000), correction("two").record(&comes)]).await;
    assert_eq!(came["warnings"]["pending-correction"], Value::Null, "{came}");
}

//! Batches that never came, that came twice, and balances, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;
mod support;

use cut::Cut;
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, withdrawal};

const NUMBER: &str = "012345";
const ACTION: &str = "2011-000077";

fn first(id: &str) -> Batch {
    Batch::new(id)
        .member(NUMBER, "53384615000019", 1)
        .record(&action("A-77", 1, NUMBER, ACTION, "PARTLY_PAID", "2011-11-30"))
        .record(&entry("E-1", 1, NUMBER, ACTION, "COMMITMENT", 180_000))
}

fn balance(view: i16, committed: i64, paid: i64, contributed: i64) -> Value {
    json!({"record": "balance", "member_number": NUMBER, "view": view, "committed": committed, "paid": paid,
        "contributed": contributed})
}

impl Fund {
    /// Uploads a batch with a number.
    async fn upload_numbered(&self, batch: &Batch, sequence: &Value) {
        let (files, mut manifest) = batch.files();
        manifest["sequence"] = sequence.clone();
        self.upload_files(&batch.id, files, &manifest).await;
    }

    async fn import_numbered(&self, batch: &Batch, sequence: u64) -> Value {
        self.upload_numbered(batch, &json!(sequence)).await;
        self.arrive(&batch.id).await
    }
}

#[tokio::test]
async fn a_batch_that_never_came_is_missed_until_it_comes() {
    let fund = Fund::start().await;
    let none_missing = |number: u64| json!({"number": number, "missing": 0});
    let of =
        |n: u64| Batch::new(&format!("b-{n}")).record(&entry(&format!("E-{n}"), 1, NUMBER, ACTION, "COMMITMENT", 1));
    assert_eq!(fund.import_numbered(&first("b-5"), 5).await["sequence"], none_missing(5));
    assert_eq!(fund.import_numbered(&of(6), 6).await["sequence"], none_missing(6));
    let report = fund.import_numbered(&of(9), 9).await;
    assert_eq!(report["sequence"], json!({"number": 9, "missing": 2, "gaps": [{"from": 7, "to": 8}]}));
    assert_eq!(report["posted"], 1, "it is posted all the same");
    // One without a number is posted, and says what is missing still.
    let report = fund.import(&of(1)).await;
    assert_eq!(report["sequence"], json!({"missing": 2, "gaps": [{"from": 7, "to": 8}]}));
    assert_eq!(fund.import_numbered(&of(8), 8).await["sequence"]["gaps"], json!([{"from": 7, "to": 7}]));
    // An empty batch stands for a number that was never used.
    assert_eq!(fund.import_numbered(&Batch::new("b-7"), 7).await["sequence"], none_missing(7));
    assert_eq!(fund.arrive("b-9").await["sequence"], none_missing(9), "the same again");
}

#[tokio::test]
async fn a_name_or_a_number_that_was_used_with_other_content_refuses_the_batch() {
    let fund = Fund::start().await;
    assert_eq!(fund.import_numbered(&first("one"), 1).await["posted"], 3);
    let other = first("one").record(&entry("E-2", 1, NUMBER, ACTION, "COMMITMENT", 5));
    for (batch, sequence, reason) in [
        (&other, json!(1), "batch-id-used"),
        (&other, json!(2), "batch-id-used"),
        (&first("one"), json!(2), "batch-id-used"),
        (&first("one"), Value::Null, "batch-id-used"),
        (&Batch { id: "two".to_owned(), ..other.clone() }, json!(1), "sequence-used"),
        (&first("two"), json!(0), "manifest"),
        (&first("two"), json!(-1), "manifest"),
        (&first("two"), json!("2"), "manifest"),
        (&first("two"), json!(9_007_199_254_740_992_u64), "manifest"),
    ] {
        fund.upload_numbered(batch, &sequence).await;
        let report = fund.arrive(&batch.id).await;
        assert_eq!(report["refused"]["reason"], reason, "{sequence} {report:#}");
        assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 0, 0, 0])].into());
    }
    // What was refused took no number, and the same batch may come again, made at another time.
    assert_eq!(fund.import_numbered(&first("two"), 2).await["unchanged"], 3);
    let (files, mut manifest) = first("one").files();
    (manifest["sequence"], manifest["created_at"]) = (json!(1), json!("2012-10-16T02:00:00Z"));
    fund.upload_files("one", files, &manifest).await;
    assert_eq!(fund.arrive("one").await["unchanged"], 3);
    // Nor is it refused under another name, which is used then.
    assert_eq!(fund.import_numbered(&first("three"), 1).await["unchanged"], 3);
    let report = fund.import(&Batch { id: "three".to_owned(), ..other }).await;
    assert_eq!(report["refused"]["reason"], "batch-id-used");
}

/// Two of one name or number at once: one is taken.
#[tokio::test]
async fn of_two_batches_at_once_one_is_taken() {
    let fund = Fund::start().await;
    fund.upload_numbered(&first("one"), &json!(1)).await;
    fund.upload_numbered(&first("two").record(&entry("E-2", 1, NUMBER, ACTION, "COMMITMENT", 5)), &json!(1)).await;
    let (one, two) = futures::future::join(fund.arrive("one"), fund.arrive("two")).await;
    let refused = [one, two].iter().filter(|report| report["refused"]["reason"] == "sequence-used").count();
    assert_eq!(refused, 1);
}

/// Cut off at any call, a batch is taken, posted and compared once it is begun again.
#[tokio::test]
async fn a_batch_that_is_cut_off_keeps_its_number() {
    let fund = Fund::start().await;
    let batch = first("one").record(&balance(2011, 180_000, 0, 0)).record(&balance(2012, 1, 0, 0));
    fund.upload_numbered(&batch, &json!(1)).await;
    let mut cuts = 0;
    while Cut::after(cuts, cuts % 2 == 1).arrive(&fund, "one").await.is_none() {
        cuts += 1;
    }
    assert!(cuts > 8, "{cuts}");
    let report = fund.arrive("one").await;
    assert_eq!(report["sequence"], json!({"number": 1, "missing": 0}));
    assert_eq!((&report["balances"]["equal"], &report["balances"]["different"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn balances_are_held_against_what_the_batch_left() {
    let fund = Fund::start().await;
    // Before and behind what it is about.
    let batch = Batch::new("one").record(&balance(2011, 100_000, 0, 0)).record(&balance(2011, 180_000, 0, 0));
    let batch = Batch { members: first("").members, ..batch };
    let batch = first("").ledger.iter().fold(batch, |batch, line| batch.line(line));
    let mut invalid = balance(2012, 0, 0, 0);
    invalid["committed"] = json!(1.5);
    let batch = batch
        .record(&entry("E-2", 1, NUMBER, ACTION, "PAYMENT_TO_COMPANY", 90_000))
        .record(&withdrawal("E-2", 2))
        .record(&balance(2012, 0, 0, 0))
        .record(&balance(2011, 180_000, 90_000, 0))
        .record(&invalid)
        .record(&balance(2031, 0, 0, 0));
    let report = fund.import(&batch).await;
    let figures = |committed: i64, paid: i64| json!({"committed": committed, "paid": paid, "contributed": 0});
    let difference = |line: u64, sent: Value| {
        json!({"file": "ledger.ndjson", "line": line, "member_number": NUMBER, "view": 2011, "sent": sent,
            "stored": figures(180_000, 0)})
    };
    assert_eq!(
        report["balances"],
        json!({"equal": 2, "different": 2, "differences": [
            difference(1, figures(100_000, 0)), difference(8, figures(180_000, 90_000)),
        ]})
    );
    assert_eq!(report["by_reason"], json!({"bad-amount": 1, "date-ahead": 1}));
    assert_eq!((&report["posted"], &report["quarantined"]), (&json!(4), &json!(2)));
    assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 0, 0, 0])].into());
}

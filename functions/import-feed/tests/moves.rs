//! Actions that change their account, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;
mod support;

use cut::Cut;
use portal::domain::MemberNumber;
use serde_json::json;
use support::{Batch, Fund, action, entry};

const NUMBER: &str = "012345";
const SIRET: &str = "53384615000019";

#[tokio::test]
async fn an_action_of_many_entries_moves_in_several_transactions() {
    let fund = Fund::start().await;
    let mut batch = Batch::new("one")
        .member(NUMBER, SIRET, 1)
        .record(&entry("E-1", 1, NUMBER, "2011-000077", "COMMITMENT", 180_000))
        .record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"))
        .record(&entry("E-2", 1, NUMBER, "2011-000077", "PAYMENT_TO_COMPANY", 90_000))
        .member("630378", "53384615000027", 1);
    for index in 0..150 {
        batch = batch.record(&entry(&format!("I-{index}"), 1, NUMBER, "2011-000077", "INVOICE_RECEIVED", 1_000));
    }
    fund.import(&batch).await;
    assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 90_000, 60_000, 0])].into());
    let moved = Batch::new("moved").record(&action("A-77", 2, "630378", "2011-000077", "CLOSED", "2012-01-01"));
    fund.upload(&moved).await;
    let mut cuts = 0;
    while Cut::after(2 * cuts, cuts % 2 == 1).arrive(&fund, "moved").await.is_none() {
        fund.reconcile().await;
        cuts += 1;
    }
    assert!(cuts > 3, "{cuts}");
    fund.reconcile().await;
    assert_eq!(fund.figures("630378").await, [(2012, [180_000, 90_000, 60_000, 0])].into());
    assert_eq!(fund.figures(NUMBER).await, [].into());
}

/// Whether it moves in the same piece, as what came before it, or long ago.
#[tokio::test]
async fn an_entry_finds_its_action_where_that_has_moved() {
    let other = "630378";
    let at = |number, version| action("A-77", version, number, "a", "COMMITTED", "2011-11-30");
    let entry = |key, number| entry(key, 1, number, "a", "COMMITMENT", 1_000);
    let records =
        [at(NUMBER, 1), entry("E-1", NUMBER), at(other, 2), entry("E-2", NUMBER), entry("E-3", other), at(NUMBER, 1)];
    for one_batch in [true, false] {
        let fund = Fund::start().await;
        let members = Batch::new("members").member(NUMBER, SIRET, 1).member(other, "53384615000027", 1);
        fund.import(&members).await;
        let batches = if one_batch { vec![&records[..]] } else { records.iter().map(std::slice::from_ref).collect() };
        for (index, records) in batches.into_iter().enumerate() {
            let batch = records.iter().fold(Batch::new(&format!("b-{index}")), Batch::record);
            let report = fund.import(&batch).await;
            assert_eq!((&report["pending"], &report["quarantined"]), (&json!(0), &json!(0)), "{report}");
            fund.reconcile().await;
        }
        assert_eq!(fund.figures(other).await, [(2011, [3_000, 0, 0, 0])].into());
        assert_eq!(fund.figures(NUMBER).await, [].into());
        let entries = fund.entries(&MemberNumber::parse(other).unwrap()).await;
        assert!(entries.iter().all(|entry| entry.siret.as_str() == "53384615000027"), "{entries:?}");
        // E-1 was posted before the move in any case, and so left its traces.
        assert_eq!(fund.entries(&MemberNumber::parse(NUMBER).unwrap()).await.len(), 2);
    }
}

/// An old version of an action that comes after the new one still says where the action once was.
#[tokio::test]
async fn an_entry_finds_its_action_when_the_move_came_first() {
    let fund = Fund::start().await;
    let at = |number, version| action("A-77", version, number, "a", "COMMITTED", "2011-11-30");
    let waiting = entry("E-1", 1, NUMBER, "a", "COMMITMENT", 1_000);
    let members = Batch::new("one").member(NUMBER, SIRET, 1).member("630378", "53384615000027", 1);
    let report = fund.import(&members.record(&waiting).record(&at("630378", 2))).await;
    assert_eq!(report["pending"], 1, "nothing says yet that it was ever there: {report}");
    let late = Batch::new("two").record(&at(NUMBER, 1)).record(&entry("E-2", 1, NUMBER, "a", "COMMITMENT", 500));
    let report = fund.import(&late).await;
    assert_eq!((&report["stale"], &report["released"], &report["posted"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(fund.figures("630378").await, [(2011, [1_500, 0, 0, 0])].into());
    assert_eq!(fund.figures(NUMBER).await, [].into());
    fund.reconcile().await;
}

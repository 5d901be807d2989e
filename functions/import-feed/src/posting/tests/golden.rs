//! Figures that can be checked with a pencil.

use std::collections::{BTreeMap, BTreeSet};

use portal::domain::{ActionStatus, EntryKind, Scheme};
use portal::store::{Remittance, Totals, TransferPayee};
use serde_json::{Value, json};

use super::ledger::{Ledger, action, contribution, entry, facet, withdrawal};
use crate::feed::Reason;
use crate::posting::Need;
use crate::posting::Verdict::{Corrected, Pending, Posted, Quarantined, Stale, Unchanged};

const ACCOUNT: &str = "012345";

fn plan_action(version: u64, status: &str, engaged: &str) -> Value {
    action("A-1", version, ACCOUNT, "2011-1", status, "PLAN", engaged)
}

fn on_action(key: &str, kind: &str, cents: i64, date: &str) -> Value {
    entry(key, 1, ACCOUNT, "2011-1", kind, cents, date)
}

fn of(figures: &[(i16, [i64; 4])]) -> BTreeMap<i16, [i64; 4]> {
    figures.iter().copied().collect()
}

#[test]
fn an_account_with_every_kind_of_entry() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PARTLY_PAID", "2011-12-31"));
    for (key, kind, cents, date) in [
        ("E-1", "COMMITMENT", 180_000, "2011-12-31"),
        ("E-2", "COMMITMENT_REVISION", -20_000, "2012-01-10"),
        ("E-3", "COMMITMENT_CANCELLATION", 10_000, "2012-01-20"),
        ("E-4", "INVOICE_RECEIVED", 90_000, "2012-02-01"),
        ("E-5", "INVOICE_REJECTED", 30_000, "2012-02-05"),
        ("E-6", "PAYMENT_TO_COMPANY", 25_000, "2012-02-10"),
        ("E-7", "PAYMENT_TO_PROVIDER", 20_000, "2012-02-11"),
        ("E-8", "PAYMENT_RETURNED", 5_000, "2012-02-20"),
        ("E-9", "RECOVERY", 1_000, "2013-03-01"),
    ] {
        assert_eq!(ledger.post(&on_action(key, kind, cents, date)), Posted, "{key}");
    }
    for (key, kind, cents, date, year) in [
        ("C-1", "CONTRIBUTION_LEGAL", 100_000, "2012-02-28", 2011),
        ("C-2", "CONTRIBUTION_AGREEMENT", 20_000, "2010-09-15", 2010),
        ("C-3", "CONTRIBUTION_VOLUNTARY", 7_000, "2012-09-15", 2012),
        ("C-4", "CONTRIBUTION_REFUND", 2_000, "2013-01-15", 2012),
    ] {
        assert_eq!(ledger.post(&contribution(key, 1, ACCOUNT, kind, cents, date, year)), Posted, "{key}");
    }
    // 180,000 - 20,000 - 10,000; 25,000 + 20,000 - 5,000 - 1,000; 90,000 - 30,000 - 45,000 + 5,000.
    // Everything on the action of 31/12/2011 is in view 2011, whenever it was paid.
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [150_000, 39_000, 20_000, 120_000]), (2012, [0, 0, 0, 5_000])]));
}

/// Each kind once with a wrong amount, then with the right one: the figures are those of the right ones alone.
#[test]
fn a_correction_of_each_kind_takes_back_all_that_the_wrong_amount_moved() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PARTLY_PAID", "2011-12-31"));
    let kinds = [
        ("COMMITMENT", 180_000, "2011-12-31"),
        ("COMMITMENT_REVISION", -20_000, "2012-01-10"),
        ("COMMITMENT_CANCELLATION", 10_000, "2012-01-20"),
        ("INVOICE_RECEIVED", 90_000, "2012-02-01"),
        ("INVOICE_REJECTED", 30_000, "2012-02-05"),
        ("PAYMENT_TO_COMPANY", 25_000, "2012-02-10"),
        ("PAYMENT_TO_PROVIDER", 20_000, "2012-02-11"),
        ("PAYMENT_RETURNED", 5_000, "2012-02-20"),
        ("RECOVERY", 1_000, "2013-03-01"),
        ("CONTRIBUTION_LEGAL", 100_000, "2012-02-28"),
        ("CONTRIBUTION_AGREEMENT", 20_000, "2012-09-15"),
        ("CONTRIBUTION_VOLUNTARY", 7_000, "2012-09-15"),
        ("CONTRIBUTION_REFUND", 2_000, "2013-01-15"),
    ];
    for (kind, right, date) in kinds {
        for (version, cents, day) in [(1, 777, "2011-06-30"), (2, right, date)] {
            let record = match kind.starts_with("CONTRIBUTION") {
                true => contribution(kind, version, ACCOUNT, kind, cents, day, 2012),
                false => entry(kind, version, ACCOUNT, "2011-1", kind, cents, day),
            };
            assert_eq!(ledger.post(&record), if version == 1 { Posted } else { Corrected }, "{kind}");
        }
    }
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [150_000, 39_000, 20_000, 0]), (2012, [0, 0, 0, 125_000])]));
    let reversed: BTreeSet<EntryKind> = ledger.entries().filter_map(|entry| Some(entry.reverses?.kind)).collect();
    assert_eq!((kinds.len(), reversed.len()), (13, 13), "every kind that the feed can send");
    // The wrong amounts were of June 2011: nothing is left in that month.
    assert_eq!(
        months(&ledger, ACCOUNT, "2011"),
        [
            ("2011-12", [180_000, 0, 0]),
            ("2012-01", [-30_000, 0, 0]),
            ("2012-02", [0, 40_000, 0]),
            ("2013-03", [0, -1_000, 0]),
        ]
        .map(|(month, sums)| (month.to_owned(), sums))
    );
    assert_eq!(
        months(&ledger, ACCOUNT, "2012"),
        [("2012-02", [0, 0, 100_000]), ("2012-09", [0, 0, 27_000]), ("2013-01", [0, 0, -2_000])]
            .map(|(month, sums)| (month.to_owned(), sums))
    );
}

/// Two views, a transfer over both, a payment before its invoice, an action that changes view and scheme, and one
/// that changes its account: the summary as the leaflet draws it, worked out by hand.
#[test]
fn an_account_to_which_everything_happens() {
    let mut ledger = Ledger::new();
    for (key, id, scheme, engaged) in [
        ("A-1", "old", "PLAN", "2011-12-31"),
        ("A-2", "new", "PLAN", "2012-01-01"),
        ("A-3", "re-dated", "DIF", "2012-01-01"),
        ("A-4", "moved", "PLAN", "2011-12-31"),
    ] {
        ledger.post(&action(key, 1, ACCOUNT, id, "COMMITTED", scheme, engaged));
    }
    let paid = |key: &str, id: &str, cents: i64| {
        let mut payment = entry(key, 1, ACCOUNT, id, "PAYMENT_TO_COMPANY", cents, "2012-02-10");
        payment["remittance_number"] = json!("V-1");
        payment["bank_reference"] = json!("CSTR 1");
        payment
    };
    for record in [
        entry("E-1", 1, ACCOUNT, "old", "COMMITMENT", 50_000, "2011-12-31"),
        entry("E-2", 1, ACCOUNT, "new", "COMMITMENT", 20_000, "2012-01-01"),
        entry("E-3", 1, ACCOUNT, "re-dated", "COMMITMENT", 1_000, "2012-01-01"),
        entry("E-4", 1, ACCOUNT, "moved", "COMMITMENT", 500, "2011-12-31"),
        entry("E-5", 1, ACCOUNT, "old", "INVOICE_RECEIVED", 40_000, "2012-01-31"),
        paid("E-6", "old", 30_000),
        paid("E-7", "new", 20_000),
        paid("E-8", "re-dated", 300),
        entry("E-9", 1, ACCOUNT, "new", "INVOICE_RECEIVED", 15_000, "2012-02-20"),
    ] {
        assert_eq!(ledger.post(&record), Posted, "{record}");
    }
    // 40,000 - 30,000 are in progress on the old one; the new one is 5,000 ahead, the re-dated one 300.
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [50_500, 30_000, 10_000, 0]), (2012, [21_000, 20_300, 0, 0])]));
    assert_eq!(shares(&ledger, ACCOUNT, "V-1"), [(2011, 30_000), (2012, 20_300)]);
    ledger.post(&action("A-3", 2, ACCOUNT, "re-dated", "COMMITTED", "PLAN", "2011-12-31"));
    ledger.post(&action("A-4", 2, "630378", "moved", "COMMITTED", "PLAN", "2011-12-31"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [51_000, 30_300, 10_000, 0]), (2012, [20_000, 20_000, 0, 0])]));
    assert_eq!(ledger.figures("630378"), of(&[(2011, [500, 0, 0, 0])]));
    assert_eq!(shares(&ledger, ACCOUNT, "V-1"), [(2011, 30_300), (2012, 20_000)]);
    // Nothing is left of the scheme that the re-dated action had.
    let plan =
        |view| facet(&ledger, view, Scheme::Plan, ActionStatus::Committed).map(|f| (f.actions, f.measures.committed.0));
    assert_eq!(plan("2012"), Some((1, 20_000)));
    assert_eq!(facet(&ledger, "2012", Scheme::Dif, ActionStatus::Committed), None);
}

/// A payment, or what comes back, with its transfer and payee where there are any.
fn paying(key: &str, version: u64, kind: &str, cents: i64, transfer: &str, payee: Option<&str>) -> Value {
    let mut record = entry(key, version, ACCOUNT, "2011-1", kind, cents, "2012-02-10");
    record["remittance_number"] = json!(transfer);
    record["payee"] = json!(payee);
    record
}

#[test]
fn the_kind_of_a_payment_says_who_was_paid_whatever_its_payee_says() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PAID", "2011-11-30"));
    ledger.post(&paying("E-1", 1, "PAYMENT_TO_COMPANY", 100, "V-1", Some("PROVIDER")));
    ledger.post(&paying("E-2", 1, "PAYMENT_TO_PROVIDER", 20, "V-2", Some("COMPANY")));
    ledger.post(&paying("E-3", 1, "PAYMENT_TO_PROVIDER", 3, "V-3", None));
    assert_eq!(ledger.paid(ACCOUNT, 2011), [100, 23]);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 123, 0, 0])]));
}

#[test]
fn what_comes_back_goes_to_the_side_of_its_payee_else_of_its_transfer_else_of_the_company() {
    for kind in ["PAYMENT_RETURNED", "RECOVERY"] {
        let mut ledger = Ledger::new();
        ledger.post(&plan_action(1, "PAID", "2011-11-30"));
        ledger.post(&paying("E-1", 1, "PAYMENT_TO_COMPANY", 1_000, "V-1", None));
        ledger.post(&paying("E-2", 1, "PAYMENT_TO_PROVIDER", 1_000, "V-2", None));
        ledger.post(&paying("E-3", 1, "PAYMENT_TO_COMPANY", 1_000, "both", None));
        ledger.post(&paying("E-4", 1, "PAYMENT_TO_PROVIDER", 1_000, "both", None));
        let mut expected = [2_000, 2_000];
        for (key, transfer, payee, side) in [
            ("B-1", "V-1", Some("PROVIDER"), 1),
            ("B-2", "V-2", Some("COMPANY"), 0),
            ("B-3", "V-1", None, 0),
            ("B-4", "V-2", None, 1),
            ("B-5", "both", None, 0),
            ("B-6", "unknown", None, 0),
        ] {
            assert_eq!(ledger.post(&paying(key, 1, kind, 10, transfer, payee)), Posted);
            expected[side] -= 10;
            assert_eq!(ledger.paid(ACCOUNT, 2011), expected, "{kind} of {transfer} to {payee:?}");
        }
        let mut without = paying("B-7", 1, kind, 10, "V-2", None);
        without.as_object_mut().unwrap().remove("remittance_number");
        ledger.post(&without);
        expected[0] -= 10;
        assert_eq!(ledger.paid(ACCOUNT, 2011), expected, "{kind} of no transfer");
    }
}

/// The side is fixed when an entry is posted: what takes it back takes it from there, whatever the transfer is by then.
#[test]
fn a_reversal_mirrors_the_side_that_its_entry_took() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PAID", "2011-11-30"));
    // Nothing is known of the transfer yet, and then it turns out to be a provider's.
    ledger.post(&paying("B-1", 1, "RECOVERY", 10, "V-1", None));
    ledger.post(&paying("E-1", 1, "PAYMENT_TO_PROVIDER", 1_000, "V-1", None));
    assert_eq!(ledger.paid(ACCOUNT, 2011), [-10, 1_000]);
    assert_eq!(ledger.post(&paying("B-1", 1, "RECOVERY", 10, "V-1", None)), Unchanged);
    // Corrected, it goes by what is known now; what it corrects is taken from where it was.
    assert_eq!(ledger.post(&paying("B-1", 2, "RECOVERY", 12, "V-1", None)), Corrected);
    assert_eq!(ledger.paid(ACCOUNT, 2011), [0, 988]);
    // The payment moves to another transfer: the side that the recovery took stays known.
    ledger.post(&paying("E-1", 2, "PAYMENT_TO_PROVIDER", 1_000, "V-2", None));
    ledger.post(&paying("B-1", 3, "RECOVERY", 13, "V-1", None));
    assert_eq!(ledger.paid(ACCOUNT, 2011), [0, 987]);
    // It moves with its action, and back.
    ledger.post(&plan_action(2, "PAID", "2012-01-01"));
    assert_eq!((ledger.paid(ACCOUNT, 2011), ledger.paid(ACCOUNT, 2012)), ([0, 0], [0, 987]));
    // Of another transfer nothing is known, and what was of the first is not of it.
    ledger.post(&paying("B-1", 4, "RECOVERY", 14, "V-9", None));
    assert_eq!(ledger.paid(ACCOUNT, 2012), [-14, 1_000]);
    // A payee settles it.
    ledger.post(&paying("B-1", 5, "RECOVERY", 14, "V-9", Some("PROVIDER")));
    assert_eq!(ledger.paid(ACCOUNT, 2012), [0, 986]);
}

#[test]
fn a_transfer_says_what_it_sent_to_whom_and_what_came_back() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PAID", "2011-11-30"));
    let moved = |ledger: &Ledger| {
        let transfer = ledger.state.remittances.values().find(|transfer| transfer.number.as_str() == "V-1").unwrap();
        let moved = transfer.moved();
        (moved.sent.total().0, moved.returned.total().0, moved.paid().total().0, moved.payee())
    };
    ledger.post(&paying("E-1", 1, "PAYMENT_TO_PROVIDER", 1_000, "V-1", None));
    ledger.post(&paying("B-1", 1, "PAYMENT_RETURNED", 400, "V-1", None));
    assert_eq!(moved(&ledger), (1_000, 400, 600, TransferPayee::Provider));
    ledger.post(&paying("E-1", 2, "PAYMENT_TO_PROVIDER", 900, "V-1", None));
    assert_eq!(moved(&ledger), (900, 400, 500, TransferPayee::Provider), "a correction is no money that came back");
    ledger.post(&paying("E-2", 1, "PAYMENT_TO_COMPANY", 50, "V-1", None));
    assert_eq!(moved(&ledger), (950, 400, 550, TransferPayee::Both));
    ledger.post(&paying("E-2", 2, "PAYMENT_TO_COMPANY", 50, "V-2", None));
    assert_eq!(moved(&ledger), (900, 400, 500, TransferPayee::Provider));
    ledger.post(&paying("E-1", 3, "PAYMENT_TO_COMPANY", 900, "V-1", None));
    assert_eq!(moved(&ledger), (900, 400, 500, TransferPayee::Both), "what came back came from where it went then");
}

/// What is left of each month of a view: committed, paid, contributed.
fn months(ledger: &Ledger, account: &str, view: &str) -> Vec<(String, [i64; 3])> {
    let of_view = |totals: &&Totals| totals.member_number.as_str() == account && totals.view.to_string() == view;
    let totals = ledger.state.totals.values().find(of_view).unwrap();
    totals
        .months
        .iter()
        .map(|(month, m)| (month.to_string(), [m.committed.0, m.paid.total().0, m.contributed.0]))
        .collect()
}

/// What a transfer paid for each view.
fn shares(ledger: &Ledger, account: &str, number: &str) -> Vec<(i16, i64)> {
    let it =
        |remittance: &&Remittance| remittance.member_number.as_str() == account && remittance.number.as_str() == number;
    let remittance = ledger.state.remittances.values().find(it).unwrap();
    remittance.views.iter().map(|(view, share)| (view.year(), share.moved.paid().total().0)).collect()
}

#[test]
fn the_views_part_at_midnight_of_31_12_2011() {
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "a", "COMMITTED", "PLAN", "2011-12-31"));
    ledger.post(&action("A-2", 1, ACCOUNT, "b", "COMMITTED", "PLAN", "2012-01-01"));
    ledger.post(&action("A-3", 1, ACCOUNT, "c", "COMMITTED", "PLAN", "2009-06-01"));
    for (key, id) in [("E-1", "a"), ("E-2", "b"), ("E-3", "c")] {
        ledger.post(&entry(key, 1, ACCOUNT, id, "COMMITMENT", 100, "2012-01-01"));
    }
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [200, 0, 0, 0]), (2012, [100, 0, 0, 0])]));
}

#[test]
fn a_payment_before_its_invoice_shows_nothing_in_progress() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PAID", "2011-11-30"));
    ledger.post(&action("A-2", 1, ACCOUNT, "other", "INVOICED", "PLAN", "2011-11-30"));
    ledger.post(&entry("E-0", 1, ACCOUNT, "other", "INVOICE_RECEIVED", 700, "2012-01-01"));
    ledger.post(&on_action("E-1", "PAYMENT_TO_COMPANY", 1_000, "2012-02-10"));
    // The 1,000 paid ahead do not eat up what is in progress on the other action.
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 1_000, 700, 0])]));
    ledger.post(&on_action("E-2", "INVOICE_RECEIVED", 400, "2012-02-11"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 1_000, 700, 0])]));
    ledger.post(&on_action("E-3", "INVOICE_RECEIVED", 900, "2012-02-12"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 1_000, 1_000, 0])]));
}

/// The table of `docs/ledger.md`, and its rows withdrawn again, in the order in which they came.
#[test]
fn a_payment_of_one_invoice_hides_nothing_of_another() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "INVOICED", "2011-11-30"));
    let rows = [
        ("PAYMENT_TO_COMPANY", "F-1", 50_000, 0),
        ("INVOICE_RECEIVED", "F-2", 30_000, 30_000),
        ("INVOICE_RECEIVED", "F-1", 50_000, 30_000),
        ("INVOICE_REJECTED", "F-1", 50_000, 30_000),
        ("INVOICE_RECEIVED", "", 80_000, 60_000),
        ("PAYMENT_TO_COMPANY", "", 90_000, 20_000),
    ];
    let in_progress = |ledger: &Ledger| ledger.figures(ACCOUNT)[&2011][2];
    for (number, (kind, invoice, cents, shown)) in rows.into_iter().enumerate() {
        let mut record = on_action(&format!("E-{number}"), kind, cents, "2012-02-01");
        if !invoice.is_empty() {
            record["invoice_number"] = json!(invoice);
        }
        ledger.post(&record);
        assert_eq!(in_progress(&ledger), shown, "{kind} {invoice}");
    }
    // Without the first it is as if it had never been; a move takes all along.
    ledger.post(&withdrawal("E-0", 2));
    assert_eq!(in_progress(&ledger), 20_000, "the rejected invoice is still paid by nothing");
    ledger.post(&plan_action(2, "INVOICED", "2012-11-30"));
    assert_eq!(ledger.figures(ACCOUNT)[&2012][2], 20_000);
    for (number, shown) in [(5, 110_000), (4, 30_000), (3, 80_000), (2, 30_000), (1, 0)] {
        ledger.post(&withdrawal(&format!("E-{number}"), 2));
        assert_eq!(ledger.figures(ACCOUNT).get(&2012).map_or(0, |figures| figures[2]), shown, "without {number}");
    }
}

#[test]
fn a_repeat_changes_nothing_and_a_conflict_is_reported() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(2, "COMMITTED", "2011-11-30"));
    let commitment = on_action("E-1", "COMMITMENT", 500, "2011-11-30");
    assert_eq!(ledger.post(&commitment), Posted);
    assert_eq!(ledger.post(&commitment), Unchanged);
    assert_eq!(ledger.post(&plan_action(2, "COMMITTED", "2011-11-30")), Unchanged);
    assert_eq!(ledger.post(&plan_action(1, "SUBMITTED", "2011-11-30")), Stale);
    let conflict = Quarantined(Reason::of("conflicting-version"));
    assert_eq!(ledger.post(&on_action("E-1", "COMMITMENT", 501, "2011-11-30")), conflict);
    assert_eq!(ledger.post(&plan_action(2, "PAID", "2011-11-30")), conflict);
    assert_eq!(
        ledger.post(&on_action("A-1", "COMMITMENT", 1, "2011-11-30")),
        Quarantined(Reason::in_field("key-of-another-record", "source_key"))
    );
    assert_eq!(
        ledger.post(&action("A-9", 1, ACCOUNT, "2011-1", "PAID", "PLAN", "2011-11-30")),
        Quarantined(Reason::in_field("action-of-another-key", "action_id"))
    );
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [500, 0, 0, 0])]));
    assert_eq!(ledger.entries().count(), 1);
}

/// Nothing counts before its member comes; then everything does, corrections included.
#[test]
fn what_names_an_unknown_member_waits_for_it() {
    let mut ledger = Ledger::without(ACCOUNT);
    let second = entry("E-2", 2, ACCOUNT, "2011-1", "COMMITMENT", 700, "2011-12-01");
    for (record, verdict) in [
        (on_action("E-1", "COMMITMENT", 500, "2011-11-30"), Pending),
        (on_action("E-2", "COMMITMENT", 600, "2011-12-01"), Pending),
        (plan_action(1, "COMMITTED", "2011-11-30"), Pending),
        (second.clone(), Pending),
        (second.clone(), Pending),
        (on_action("E-2", "COMMITMENT", 600, "2011-12-01"), Stale),
        (
            entry("E-2", 2, ACCOUNT, "2011-1", "COMMITMENT", 701, "2011-12-01"),
            Quarantined(Reason::of("conflicting-version")),
        ),
        (contribution("E-1", 9, ACCOUNT, "CONTRIBUTION_LEGAL", 40, "2012-02-28", 2011), Pending),
        (entry("E-3", 1, ACCOUNT, "2011-1", "RECOVERY", 1, "2012-02-28"), Pending),
    ] {
        assert_eq!(ledger.post(&record), verdict, "{record}");
    }
    assert_eq!((ledger.waiting().len(), ledger.figures(ACCOUNT)), (4, of(&[])));
    ledger.come(ACCOUNT);
    assert_eq!((ledger.waiting().len(), ledger.pendings().len()), (0, 0));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [700, -1, 0, 40])]));
    assert_eq!((ledger.post(&second), ledger.entries().count()), (Unchanged, 3));
}

/// What a correction corrects stays in force until the member comes that the correction names.
#[test]
fn a_correction_to_an_unknown_member_waits_and_what_it_corrects_stays() {
    let other = "630378";
    let mut ledger = Ledger::without(other);
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30"));
    let moved = action("A-1", 2, other, "2011-1", "COMMITTED", "PLAN", "2011-11-30");
    assert_eq!(ledger.post(&moved), Pending);
    assert_eq!(ledger.post(&entry("E-1", 2, other, "2011-1", "COMMITMENT", 600, "2011-11-30")), Pending);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [500, 0, 0, 0])]));
    ledger.come(other);
    assert_eq!(ledger.figures(ACCOUNT), of(&[]));
    assert_eq!(ledger.figures(other), of(&[(2011, [600, 0, 0, 0])]));
}

/// Of two actions of one number the second is refused when their member comes, and may be sent again.
#[test]
fn what_cannot_be_posted_when_its_member_comes_waits_no_longer() {
    let mut ledger = Ledger::without(ACCOUNT);
    let second = action("B-1", 1, ACCOUNT, "2011-1", "PAID", "DIF", "2011-11-30");
    assert_eq!(ledger.post(&plan_action(1, "COMMITTED", "2011-11-30")), Pending);
    assert_eq!(ledger.post(&second), Pending);
    ledger.come(ACCOUNT);
    assert_eq!(ledger.waiting(), []);
    let refused = Quarantined(Reason::in_field("action-of-another-key", "action_id"));
    assert_eq!(ledger.post(&second), refused);
    assert_eq!(ledger.post(&action("B-1", 1, ACCOUNT, "2011-2", "PAID", "DIF", "2011-11-30")), Posted);
}

/// Each optional field that cannot be read is as it was in the version before: posted, waiting for its action, or for
/// its member.
#[test]
fn an_unreadable_field_keeps_what_the_version_before_had() {
    let full = |version: u64, cents: i64| {
        let mut record = entry("E-1", version, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", cents, "2012-02-10");
        for (field, value) in [
            ("cost_kind", "TUITION"),
            ("payee", "PROVIDER"),
            ("remittance_number", "V-1"),
            ("bank_reference", "CSTR 1"),
            ("invoice_number", "F 118/2"),
            ("label", "Remboursement"),
        ] {
            record[field] = json!(value);
        }
        record
    };
    let odd = |version: u64, cents: i64| {
        let mut record = full(version, cents);
        for field in ["cost_kind", "payee", "remittance_number", "bank_reference", "invoice_number", "label"] {
            record[field] = json!({"x": 1});
        }
        record
    };
    for (is_there, has_action) in [(true, true), (true, false), (false, false)] {
        let mut ledger = if is_there { Ledger::new() } else { Ledger::without(ACCOUNT) };
        let action = plan_action(1, "PAID", "2011-11-30");
        if has_action {
            ledger.post(&action);
        }
        ledger.post(&full(1, 500));
        ledger.post(&odd(2, 600));
        ledger.post(&odd(2, 600));
        ledger.post(&action);
        ledger.come(ACCOUNT);
        let posted = ledger.entries().find(|entry| entry.facts.amount.0 == 600).expect("the second version");
        let facts = serde_json::to_value(&posted.facts).unwrap();
        let expected = json!({"kind": "PAYMENT_TO_COMPANY", "cost_kind": "TUITION", "payee": "PROVIDER", "amount": 600,
            "date": "2012-02-10", "remittance": "V-1", "bank": "CSTR 1", "invoice": "F 118/2", "label": "Remboursement"});
        assert_eq!(facts, expected);
        assert_eq!(ledger.figures(ACCOUNT)[&2011][1], 600);
    }
}

/// So that what an earlier run left to be released is seen by the one after it.
#[test]
fn a_repeat_of_what_waits_looks_at_its_action() {
    let mut ledger = Ledger::new();
    let commitment = on_action("E-1", "COMMITMENT", 500, "2011-11-30");
    assert_eq!(ledger.post(&commitment), Pending);
    let [Need::Action(key)] = &ledger.needs(&commitment)[..] else { panic!("the action") };
    assert_eq!(key.sk, "ACTION#2011-1#");
    assert_eq!(ledger.post(&commitment), Pending);
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    assert_eq!(ledger.post(&commitment), Unchanged);
}

#[test]
fn a_correction_is_a_reversal_and_a_replacement() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&action("A-2", 1, ACCOUNT, "2012-1", "COMMITTED", "DIF", "2012-01-01"));
    ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30"));
    // The second version is of another amount, another action and with it another view and scheme.
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "2012-1", "COMMITMENT", 600, "2012-01-02")), Corrected);
    assert_eq!(ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30")), Stale);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 0, 0, 0]), (2012, [600, 0, 0, 0])]));
    let reversals: Vec<_> = ledger.entries().filter(|entry| entry.facts.kind == EntryKind::Reversal).collect();
    let [reversal] = reversals[..] else { panic!("one reversal") };
    let reversed =
        ledger.entries().find(|entry| Some(entry.entry_id) == reversal.reverses.map(|r| r.entry_id)).unwrap();
    assert_eq!((reversed.facts.amount.0, reversal.facts.amount.0), (500, -500));
    assert_eq!((reversed.view, reversed.facts.date), (reversal.view, reversal.facts.date));
    assert_eq!((reversal.source_version, ledger.entries().count()), (2, 3));
}

#[test]
fn a_correction_may_change_the_account_or_make_a_contribution_of_an_entry() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&action("A-2", 1, "630378", "2011-1", "COMMITTED", "PLAN", "2011-11-30"));
    ledger.post(&on_action("E-1", "INVOICE_RECEIVED", 500, "2011-11-30"));
    ledger.post(&entry("E-1", 2, "630378", "2011-1", "INVOICE_RECEIVED", 500, "2011-11-30"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 0, 0, 0])]));
    assert_eq!(ledger.figures("630378"), of(&[(2011, [0, 0, 500, 0])]));
    assert_eq!((ledger.withheld(ACCOUNT), ledger.withheld("630378")), (2, 0));
    ledger.post(&contribution("E-1", 3, ACCOUNT, "CONTRIBUTION_LEGAL", 500, "2011-11-30", 2013));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 0, 0, 0]), (2013, [0, 0, 0, 500])]));
    assert_eq!(ledger.figures("630378"), of(&[(2011, [0, 0, 0, 0])]));
    assert_eq!((ledger.withheld(ACCOUNT), ledger.withheld("630378")), (0, 2));
}

/// All versions that an account had of a record are another's, also those that it had corrected before the record left, and
/// on whichever action; and what is withdrawn stays whose it was.
#[test]
fn an_account_reads_the_texts_of_the_records_that_it_has() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&action("A-2", 1, ACCOUNT, "2011-2", "COMMITTED", "PLAN", "2011-11-30"));
    ledger.post(&on_action("E-1", "INVOICE_RECEIVED", 500, "2011-11-30"));
    ledger.post(&on_action("E-2", "INVOICE_RECEIVED", 70, "2011-11-30"));
    // Corrected, and moved from one action to another one of the account.
    ledger.post(&entry("E-1", 2, ACCOUNT, "2011-1", "INVOICE_RECEIVED", 600, "2011-11-30"));
    ledger.post(&entry("E-1", 3, ACCOUNT, "2011-2", "INVOICE_RECEIVED", 600, "2011-11-30"));
    assert_eq!(ledger.withheld(ACCOUNT), 0);
    // That action is another account's, and its entry with it: three versions and their reversals.
    ledger.post(&action("A-2", 2, "630378", "2011-2", "COMMITTED", "PLAN", "2011-11-30"));
    assert_eq!((ledger.withheld(ACCOUNT), ledger.withheld("630378")), (6, 0));
    // Withdrawn there, it is nobody else's; sent again to the first account, it is that one's.
    ledger.post(&withdrawal("E-1", 4));
    assert_eq!((ledger.withheld(ACCOUNT), ledger.withheld("630378")), (6, 0));
    ledger.post(&entry("E-1", 5, ACCOUNT, "2011-1", "INVOICE_RECEIVED", 600, "2011-11-30"));
    assert_eq!((ledger.withheld(ACCOUNT), ledger.withheld("630378")), (0, 2));
    ledger.post(&withdrawal("E-2", 2));
    assert_eq!(ledger.withheld(ACCOUNT), 0);
}

#[test]
fn an_entry_waits_for_its_action_and_is_posted_when_it_comes() {
    let mut ledger = Ledger::new();
    assert_eq!(ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30")), Pending);
    assert_eq!(ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30")), Pending);
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "2011-1", "COMMITMENT", 400, "2011-11-30")), Pending);
    assert_eq!(ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30")), Stale);
    assert_eq!((ledger.pendings().len(), ledger.figures(ACCOUNT)), (1, of(&[])));
    // Killed before the entries were posted, the next run does it.
    assert_eq!(ledger.post_and_die(&plan_action(1, "COMMITTED", "2011-11-30")), Posted);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 0, 0, 0])]));
    assert_eq!(ledger.post(&plan_action(1, "COMMITTED", "2011-11-30")), Unchanged);
    assert_eq!((ledger.pendings().len(), ledger.figures(ACCOUNT)), (0, of(&[(2011, [400, 0, 0, 0])])));
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "2011-1", "COMMITMENT", 400, "2011-11-30")), Unchanged);
}

#[test]
fn a_correction_towards_an_unknown_action_leaves_the_old_entry_in_force_until_it_comes() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30"));
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "later", "COMMITMENT", 600, "2012-01-02")), Pending);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [500, 0, 0, 0])]));
    ledger.post(&action("A-2", 1, ACCOUNT, "later", "COMMITTED", "PLAN", "2012-01-02"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [0, 0, 0, 0]), (2012, [600, 0, 0, 0])]));
}

/// Remaining, overpaid and recovered, worked out by hand for each ending of an action of 1,800.00.
#[test]
fn what_remains_and_what_was_overpaid_and_recovered_by_ending() {
    let ended = |status: &str, entries: &[(&str, i64)]| {
        let mut ledger = Ledger::new();
        ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
        for (place, (kind, euros)) in entries.iter().enumerate() {
            let entry = on_action(&format!("E-{place}"), kind, euros * 100, "2012-02-10");
            assert_eq!(ledger.post(&entry), Posted);
        }
        ledger.post(&plan_action(2, status, "2011-11-30"));
        ledger.outcome(ACCOUNT, 2011).map(|cents| cents / 100)
    };
    let (committed, cancelled) = (("COMMITMENT", 1_800), ("COMMITMENT_CANCELLATION", 1_800));
    let paid = |euros| ("PAYMENT_TO_COMPANY", euros);
    // All of it was paid, and 300.00 were taken back: not to be paid again, closed or not.
    assert_eq!(ended("CLOSED", &[committed, paid(1_800), ("RECOVERY", 300)]), [0, 0, 300]);
    assert_eq!(ended("PAID", &[committed, paid(1_800), ("RECOVERY", 300)]), [0, 0, 300]);
    // What the bank sent back is still to be paid.
    assert_eq!(ended("PARTLY_PAID", &[committed, paid(1_800), ("PAYMENT_RETURNED", 300)]), [300, 0, 0]);
    assert_eq!(ended("CLOSED", &[committed, paid(1_200)]), [0, 0, 0]);
    assert_eq!(ended("REFUSED", &[("COMMITMENT", 700)]), [0, 0, 0]);
    assert_eq!(ended("CANCELLED", &[committed, paid(200), cancelled]), [0, 200, 0]);
    assert_eq!(ended("CANCELLED", &[committed, paid(200), cancelled, ("RECOVERY", 200)]), [0, 0, 200]);
    assert_eq!(ended("PAID", &[committed, paid(1_800), paid(1_800), ("RECOVERY", 1_000)]), [0, 800, 1_000]);
}

#[test]
fn what_was_overpaid_on_one_action_hides_nothing_that_remains_on_another() {
    let mut ledger = Ledger::new();
    for (number, key) in [("one", "A-1"), ("other", "A-2")] {
        ledger.post(&action(key, 1, ACCOUNT, number, "COMMITTED", "PLAN", "2011-11-30"));
        ledger.post(&entry(&format!("C-{number}"), 1, ACCOUNT, number, "COMMITMENT", 100_000, "2011-11-30"));
    }
    let paid = |key: &str, version| entry(key, version, ACCOUNT, "one", "PAYMENT_TO_COMPANY", 100_000, "2012-02-10");
    ledger.post(&paid("P-1", 1));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [100_000, 0, 0]);
    ledger.post(&paid("P-2", 1));
    // Committed 2,000.00 and paid 2,000.00, and yet 1,000.00 remain.
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [200_000, 200_000, 0, 0])]));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [100_000, 100_000, 0]);
    let facet = |status| facet(&ledger, "2011", Scheme::Plan, status).map(|facet| facet.measures);
    let measures = facet(ActionStatus::Committed).unwrap();
    assert_eq!((measures.remaining.0, measures.overpaid.0), (100_000, 100_000));
    // The second payment was meant for the other action.
    let mut corrected = paid("P-2", 2);
    corrected["action_id"] = json!("other");
    ledger.post(&corrected);
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 0, 0]);
}

#[test]
fn a_status_moves_what_remains_there_and_back_also_with_a_change_of_view() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "PARTLY_PAID", "2011-12-31"));
    ledger.post(&on_action("E-1", "COMMITMENT", 180_000, "2011-12-31"));
    ledger.post(&on_action("E-2", "PAYMENT_TO_COMPANY", 120_000, "2012-02-01"));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [60_000, 0, 0]);
    ledger.post(&plan_action(2, "CLOSED", "2011-12-31"));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 0, 0]);
    ledger.post(&plan_action(3, "PARTLY_PAID", "2011-12-31"));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [60_000, 0, 0]);
    // Closed and dated anew at once: what is not moved yet has nothing left either.
    ledger.post_and_die(&plan_action(4, "CLOSED", "2012-01-01"));
    assert_eq!([ledger.outcome(ACCOUNT, 2011), ledger.outcome(ACCOUNT, 2012)], [[0, 0, 0]; 2]);
    ledger.post(&plan_action(4, "CLOSED", "2012-01-01"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2012, [180_000, 120_000, 0, 0])]));
    ledger.post(&plan_action(5, "PARTLY_PAID", "2012-01-01"));
    assert_eq!([ledger.outcome(ACCOUNT, 2011), ledger.outcome(ACCOUNT, 2012)], [[0, 0, 0], [60_000, 0, 0]]);
}

#[test]
fn a_change_of_status_moves_the_facets_and_what_remains() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-11-30"));
    ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-11-30"));
    let before = ledger.figures(ACCOUNT);
    assert_eq!(ledger.post(&plan_action(2, "CLOSED", "2011-11-30")), Corrected);
    assert_eq!((ledger.figures(ACCOUNT), ledger.outcome(ACCOUNT, 2011)), (before, [0, 0, 0]));
    assert_eq!(facet(&ledger, "2011", Scheme::Plan, ActionStatus::Committed), None);
    let closed = facet(&ledger, "2011", Scheme::Plan, ActionStatus::Closed).unwrap();
    assert_eq!((closed.actions, closed.measures.committed.0), (1, 500));
}

#[test]
fn a_re_dated_action_takes_its_entries_along_even_after_a_crash() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "COMMITTED", "2011-12-31"));
    ledger.post(&on_action("E-1", "COMMITMENT", 500, "2011-12-31"));
    ledger.post(&on_action("E-2", "PAYMENT_TO_COMPANY", 200, "2012-02-01"));
    let moved = plan_action(2, "PARTLY_PAID", "2012-01-01");
    assert_eq!(ledger.post_and_die(&moved), Corrected);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [500, 200, 0, 0]), (2012, [0, 0, 0, 0])]));
    assert_eq!(ledger.post(&moved), Unchanged);
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2012, [500, 200, 0, 0])]));
    // An entry that was moved is corrected where it is now, and back again ends where it began.
    ledger.post(&entry("E-1", 2, ACCOUNT, "2011-1", "COMMITMENT", 450, "2011-12-31"));
    ledger.post(&plan_action(3, "PARTLY_PAID", "2011-12-31"));
    assert_eq!(ledger.figures(ACCOUNT), of(&[(2011, [450, 200, 0, 0])]));
}

#[test]
fn an_action_may_move_to_another_account_and_back() {
    let mut ledger = Ledger::new();
    ledger.post(&plan_action(1, "INVOICED", "2011-11-30"));
    ledger.post(&on_action("E-1", "INVOICE_RECEIVED", 500, "2011-11-30"));
    ledger.post(&action("A-1", 2, "630378", "2011-1", "INVOICED", "PLAN", "2011-11-30"));
    assert_eq!((ledger.figures(ACCOUNT), ledger.figures("630378")), (of(&[]), of(&[(2011, [0, 0, 500, 0])])));
    // What still comes for the old account waits there.
    assert_eq!(ledger.post(&on_action("E-2", "INVOICE_RECEIVED", 50, "2011-11-30")), Pending);
    ledger.post_and_die(&plan_action(3, "INVOICED", "2011-11-30"));
    ledger.post_and_die(&action("A-1", 4, "248411", "2011-1", "INVOICED", "DIF", "2012-11-30"));
    ledger.post(&plan_action(5, "INVOICED", "2011-11-30"));
    assert_eq!((ledger.figures(ACCOUNT), ledger.figures("248411")), (of(&[(2011, [0, 0, 550, 0])]), of(&[])));
}

//! Warnings of what is posted as it was sent: each kind with a near miss.

use portal::domain::Cents;
use serde_json::{Value, json};

use super::ledger::{Ledger, action, contribution, entry, withdrawal};
use crate::feed::Reason;
use crate::posting::Verdict::{self, Corrected, Posted, Quarantined, Stale, Unchanged, Withdrawn};
use crate::warning::Warning::{self, BelowZero, LargeAmount, PaidAboveCommitted, PaidWithoutPayment, SamePayment};

const ACCOUNT: &str = "012345";
const LAST: u64 = (1 << 53) - 1;

/// An action with 1,000 committed, and these records behind; what is warned of it in the end.
fn warned(status: &str, records: &[Value]) -> Vec<Warning> {
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", status, "PLAN", "2011-12-31"));
    for record in [&[committed()], records].concat() {
        assert!(matches!(ledger.post(&record), Posted | Corrected | Withdrawn), "it is posted: {record}");
    }
    ledger.standing()
}

fn committed() -> Value {
    entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_000, "2011-12-31")
}

fn paid(key: &str, cents: i64) -> Value {
    entry(key, 1, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", cents, "2012-02-10")
}

fn with(mut record: Value, field: &str, value: impl Into<Value>) -> Value {
    record[field] = value.into();
    record
}

#[test]
fn what_is_paid_above_what_is_committed_is_told_with_both() {
    assert_eq!(warned("PAID", &[paid("E-2", 1_000)]), []);
    assert_eq!(warned("PAID", &[paid("E-2", 1_001)]), [PaidAboveCommitted]);
    // A cancellation after the payment is the same, and one that is taken back is over.
    let cancelled = entry("E-3", 1, ACCOUNT, "2011-1", "COMMITMENT_CANCELLATION", 400, "2012-03-01");
    assert_eq!(warned("CANCELLED", &[paid("E-2", 1_000), cancelled.clone()]), [PaidAboveCommitted]);
    assert_eq!(warned("CANCELLED", &[paid("E-2", 1_000), cancelled, withdrawal("E-3", 2)]), []);
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "PAID", "PLAN", "2011-12-31"));
    for record in [committed(), paid("E-2", 1_500)] {
        ledger.post(&record);
    }
    let told = ledger.warned.last().unwrap();
    let figures = (told.figures.committed_cents, told.figures.paid_cents);
    assert_eq!((told.warning, figures), (PaidAboveCommitted, (Some(Cents(1_000)), Some(Cents(1_500)))));
    // It is paid as it was sent.
    assert_eq!(ledger.figures(ACCOUNT)[&2011], [1_000, 1_500, 0, 0]);
}

#[test]
fn an_action_that_is_called_paid_with_nothing_paid_is_told() {
    assert_eq!(warned("PAID", &[]), [PaidWithoutPayment]);
    assert_eq!(warned("PARTLY_PAID", &[]), []);
    assert_eq!(warned("PAID", &[paid("E-2", 1)]), []);
    let returned = entry("E-3", 1, ACCOUNT, "2011-1", "PAYMENT_RETURNED", 1, "2012-03-01");
    assert_eq!(warned("PAID", &[paid("E-2", 1), returned]), [PaidWithoutPayment]);
}

#[test]
fn what_comes_to_less_than_nothing_is_told() {
    let cancelled = |cents| entry("E-3", 1, ACCOUNT, "2011-1", "COMMITMENT_CANCELLATION", cents, "2012-03-01");
    assert_eq!(warned("CANCELLED", &[cancelled(1_000)]), []);
    assert_eq!(warned("CANCELLED", &[cancelled(1_001)]), [BelowZero]);
    let returned = |cents| entry("E-4", 1, ACCOUNT, "2011-1", "PAYMENT_RETURNED", cents, "2012-03-01");
    assert_eq!(warned("COMMITTED", &[paid("E-2", 500), returned(500)]), []);
    assert_eq!(warned("COMMITTED", &[paid("E-2", 500), returned(501)]), [BelowZero]);
}

#[test]
fn the_same_payment_under_two_keys_is_told_and_one_that_differs_is_not() {
    let transfer = |record| with(with(record, "remittance_number", "V-1"), "invoice_number", "F-1");
    let one = || transfer(paid("E-2", 100));
    let other = || transfer(paid("E-3", 100));
    assert_eq!(warned("COMMITTED", &[one(), other()]), [SamePayment]);
    assert_eq!(warned("COMMITTED", &[paid("E-2", 100), paid("E-3", 100)]), [SamePayment]);
    // Label and bank reference say nothing; what else differs makes it another one.
    assert_eq!(warned("COMMITTED", &[one(), with(other(), "label", "Autre")]), [SamePayment]);
    for (field, value) in [
        ("amount_cents", json!(101)),
        ("effective_date", json!("2012-02-11")),
        ("remittance_number", json!("V-2")),
        ("invoice_number", json!("F-2")),
        ("kind", json!("PAYMENT_TO_PROVIDER")),
        ("cost_kind", json!("WAGES")),
    ] {
        assert_eq!(warned("COMMITTED", &[one(), with(other(), field, value)]), [], "{field}");
    }
    // A correction there and back is no second payment, and one that is withdrawn is none.
    let newer = |version, cents| with(transfer(paid("E-2", cents)), "source_version", version);
    assert_eq!(warned("COMMITTED", &[one(), newer(2, 90), newer(3, 100)]), []);
    assert_eq!(warned("COMMITTED", &[one(), other(), withdrawal("E-3", 2)]), []);
    // An invoice that comes twice, where it has a number.
    let invoice = |key| entry(key, 1, ACCOUNT, "2011-1", "INVOICE_RECEIVED", 100, "2012-02-01");
    let numbered = |key| with(invoice(key), "invoice_number", "F-1");
    assert_eq!(warned("COMMITTED", &[numbered("E-2"), numbered("E-3")]), [SamePayment]);
    assert_eq!(warned("COMMITTED", &[invoice("E-2"), invoice("E-3")]), []);
}

/// An item has to be small: with more than sixteen different payments nothing is told any more.
#[test]
fn sixteen_payments_of_an_action_are_known_and_a_move_adds_none() {
    let mut many: Vec<_> = (1..=16).map(|n| paid(&format!("P-{n}"), n)).collect();
    many.push(paid("P-20", 16));
    assert_eq!(warned("COMMITTED", &many), [SamePayment]);
    many.insert(0, paid("P-17", 17));
    assert_eq!(warned("COMMITTED", &many), []);
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    for n in 1..=16 {
        ledger.post(&paid(&format!("P-{n}"), n));
    }
    ledger.post(&action("A-1", 2, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2012-12-31"));
    assert_eq!(ledger.standing(), [PaidAboveCommitted]);
    ledger.post(&paid("P-20", 16));
    assert!(ledger.standing().contains(&SamePayment));
}

#[test]
fn an_amount_far_beyond_the_usual_is_told() {
    let commitment = |cents| entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", cents, "2011-12-31");
    let contributed = |cents| contribution("C-1", 1, ACCOUNT, "CONTRIBUTION_LEGAL", cents, "2012-02-28", 2011);
    let kinds = |record: &Value| {
        let mut ledger = Ledger::new();
        ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
        assert_eq!(ledger.post(record), Posted);
        ledger.warned
    };
    let told = kinds(&commitment(1_000_000_000_000));
    assert_eq!((told[0].warning, told[0].figures.amount_cents), (LargeAmount, Some(Cents(1_000_000_000_000))));
    assert_eq!((kinds(&commitment(100_000_000)).len(), kinds(&commitment(99_999_999)).len()), (1, 0));
    assert_eq!((kinds(&contributed(1_000_000_000)).len(), kinds(&contributed(999_999_999)).len()), (1, 0));
}

fn version(version: u64) -> Value {
    entry("E-1", version, ACCOUNT, "2011-1", "COMMITMENT", 100 + i64::try_from(version % 1_000).unwrap(), "2011-12-31")
}

fn back(version: u64, takes_back: u64) -> Value {
    with(withdrawal("E-1", version), "takes_back", takes_back)
}

/// A ledger with an action, and what these records come to.
fn after(records: &[Value]) -> (Ledger, Vec<Verdict>) {
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    let verdicts = records.iter().map(|record| ledger.post(record)).collect();
    (ledger, verdicts)
}

#[test]
fn a_version_that_jumps_is_told_with_the_one_before() {
    let told = |versions: &[u64]| {
        let (ledger, _) = after(&versions.iter().map(|number| version(*number)).collect::<Vec<_>>());
        let figures = ledger.warned.into_iter().filter(|warned| warned.warning == Warning::VersionJump);
        figures.map(|warned| (warned.figures.former_version, warned.figures.source_version)).collect::<Vec<_>>()
    };
    assert_eq!(told(&[1, LAST]), [(Some(1), Some(LAST))]);
    assert_eq!(told(&[LAST]), [(None, Some(LAST))]);
    assert_eq!((told(&[3, 3_000]), told(&[3, 2_999])), (vec![(Some(3), Some(3_000))], vec![]));
    // Instants, in milliseconds: the first is no jump, and the next neither.
    assert_eq!(told(&[1_350_270_000_000, 1_450_270_000_000]), []);
}

#[test]
fn a_withdrawal_that_names_the_jump_lets_versions_begin_behind_it() {
    let (mut ledger, verdicts) = after(&[version(1), version(LAST), version(2)]);
    assert_eq!(verdicts, [Posted, Corrected, Stale], "the key is dead");
    assert_eq!(ledger.post(&withdrawal("E-1", 2)), Stale, "a late one that names nothing");
    assert_eq!(ledger.post(&back(2, LAST)), Withdrawn);
    assert_eq!(ledger.figures(ACCOUNT)[&2011][0], 0);
    assert_eq!(ledger.post(&back(2, LAST)), Unchanged);
    // What comes late stays out, the mistyped version above all.
    assert_eq!([ledger.post(&version(1)), ledger.post(&version(LAST))], [Stale, Stale]);
    assert_eq!([ledger.post(&version(3)), ledger.post(&version(3))], [Posted, Unchanged]);
    assert_eq!(ledger.post(&version(LAST)), Stale);
    assert_eq!((ledger.post(&version(4)), ledger.figures(ACCOUNT)[&2011][0]), (Corrected, 104));
}

#[test]
fn the_order_in_which_a_jump_and_its_withdrawal_come_does_not_matter() {
    let (mut ledger, verdicts) = after(&[version(1), back(2, LAST), version(LAST)]);
    assert_eq!(verdicts, [Posted, Withdrawn, Stale]);
    assert_eq!((ledger.post(&version(3)), ledger.figures(ACCOUNT)[&2011][0]), (Posted, 103));
}

/// A lower version than one that was posted would let that be posted again.
#[test]
fn a_withdrawal_of_a_jump_is_above_what_came_before_it_and_of_a_jump_only() {
    let (mut ledger, _) = after(&[version(5), version(LAST)]);
    assert_eq!([ledger.post(&back(4, LAST)), ledger.post(&back(5, LAST))], [Stale, Stale]);
    assert_eq!(ledger.post(&back(6, LAST - 1)), Stale, "another version is the newest");
    assert_eq!(ledger.post(&back(6, LAST)), Withdrawn);
    assert_eq!([ledger.post(&version(5)), ledger.post(&version(7))], [Stale, Posted]);
    let (mut ledger, _) = after(&[version(5), version(9)]);
    let refused = Quarantined(Reason::in_field("no-version-jump", "takes_back"));
    assert_eq!(ledger.post(&back(6, 9)), refused);
    assert_eq!(ledger.figures(ACCOUNT)[&2011][0], 109);
}

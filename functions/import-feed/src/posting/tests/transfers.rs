//! Transfers: whose numbers they are, and what looks as if it were none.

use portal::store::Remittance;
use serde_json::{Value, json};

use super::ledger::{Ledger, action, entry, withdrawal};
use crate::posting::Verdict::{Corrected, Pending, Posted, Unchanged};
use crate::warning::Warning::{ReturnedAboveSent, TransferOfSeveral};

const ACCOUNT: &str = "012345";

fn the_action(key: &str, id: &str) -> Value {
    action(key, 1, ACCOUNT, id, "PARTLY_PAID", "PLAN", "2012-01-01")
}

/// A line of the transfer V-1.
fn line(key: &str, version: u64, kind: &str, cents: i64, day: &str, bank: &str) -> Value {
    let mut record = entry(key, version, ACCOUNT, "a", kind, cents, day);
    record["remittance_number"] = json!("V-1");
    record["bank_reference"] = json!(bank);
    record
}

fn payment(key: &str, version: u64, day: &str, bank: &str) -> Value {
    line(key, version, "PAYMENT_TO_COMPANY", 10_000, day, bank)
}

/// The sums that each transfer sent and that came back, in the order of sources.
fn moved(ledger: &Ledger) -> Vec<(String, i64, i64)> {
    let moved = |transfer: &Remittance| {
        let moved = transfer.moved();
        (transfer.source.to_string(), moved.sent.total().0, moved.returned.total().0)
    };
    let mut all: Vec<_> = ledger.state.remittances.values().map(moved).collect();
    all.sort();
    all
}

#[test]
fn one_number_of_two_systems_is_two_transfers() {
    let mut ledger = Ledger::new();
    ledger.post(&the_action("A", "a"));
    ledger.post(&payment("E-1", 1, "2012-02-10", "CSTR 1"));
    ledger.of_source("bank");
    // The pair is allowed, so this system pays for the same action.
    assert_eq!(ledger.post(&line("E-1", 1, "PAYMENT_TO_PROVIDER", 20_000, "2013-02-10", "CSTR 1")), Posted);
    // What comes back without a payee comes from the side of the transfer of its own system.
    assert_eq!(ledger.post(&line("E-2", 1, "PAYMENT_RETURNED", 500, "2013-02-12", "CSTR 1")), Posted);
    let apart =
        |erp: (i64, i64), bank: (i64, i64)| vec![("bank".to_owned(), bank.0, bank.1), ("erp".to_owned(), erp.0, erp.1)];
    assert_eq!(moved(&ledger), apart((10_000, 0), (20_000, 500)));
    assert_eq!(ledger.paid(ACCOUNT, 2012), [10_000, 19_500]);
    assert_eq!(ledger.warnings, []);
    // A correction, a move and a withdrawal stay in the transfer of their system.
    ledger.post(&line("E-1", 2, "PAYMENT_TO_PROVIDER", 21_000, "2013-02-10", "CSTR 1"));
    ledger.of_source("erp");
    ledger.post(&action("A", 2, ACCOUNT, "a", "PARTLY_PAID", "DIF", "2013-01-01"));
    assert_eq!(moved(&ledger), apart((10_000, 0), (21_000, 500)));
    ledger.post(&withdrawal("E-1", 2));
    assert_eq!(moved(&ledger), apart((0, 0), (21_000, 500)));
}

#[test]
fn payments_of_one_number_with_another_day_or_reference_are_warned_of() {
    let mut ledger = Ledger::new();
    ledger.post(&the_action("A", "a"));
    ledger.post(&the_action("B", "b"));
    let mut of = |record: &Value| {
        let verdict = ledger.post(record);
        (verdict, std::mem::take(&mut ledger.warnings))
    };
    assert_eq!(of(&payment("E-1", 1, "2012-02-10", "CSTR 1")), (Posted, vec![]));
    // One transfer pays for many actions, and the bank sends some of it back on another day under a reference of its own.
    let mut other = payment("E-2", 1, "2012-02-10", "CSTR 1");
    other["action_id"] = json!("b");
    assert_eq!(of(&other), (Posted, vec![]));
    assert_eq!(of(&line("E-3", 1, "PAYMENT_RETURNED", 500, "2012-02-20", "RET 9")), (Posted, vec![]));
    let mut none = payment("E-4", 1, "2012-02-10", "");
    none["bank_reference"] = json!(null);
    assert_eq!(of(&none), (Posted, vec![]), "no reference is not another one");
    // The next year's V-1.
    assert_eq!(of(&payment("E-5", 1, "2013-02-10", "CSTR 1")), (Posted, vec![TransferOfSeveral]));
    // Corrected to the first's day.
    assert_eq!(of(&payment("E-5", 2, "2012-02-10", "CSTR 1")), (Corrected, vec![]));
    assert_eq!(of(&payment("E-6", 1, "2012-02-10", "CSTR 2")), (Posted, vec![TransferOfSeveral]));
    assert_eq!(of(&payment("E-6", 1, "2012-02-10", "CSTR 2")), (Unchanged, vec![]), "it was named when it was posted");
    // A number of its own, with any day.
    let mut apart = payment("E-7", 1, "2014-02-10", "CSTR 7");
    apart["remittance_number"] = json!("V-2");
    assert_eq!(of(&apart), (Posted, vec![]));
}

#[test]
fn what_waited_is_warned_of_when_it_is_posted_and_what_moves_is_not() {
    let mut ledger = Ledger::new();
    ledger.post(&payment("E-1", 1, "2012-02-10", "CSTR 1"));
    assert_eq!(ledger.post(&payment("E-2", 1, "2013-02-10", "CSTR 1")), Pending);
    assert_eq!(ledger.warnings, []);
    ledger.post(&the_action("A", "a"));
    assert_eq!(ledger.warnings, [TransferOfSeveral]);
    ledger.post(&action("A", 2, "630378", "a", "PARTLY_PAID", "PLAN", "2013-01-01"));
    assert_eq!(ledger.warnings, [TransferOfSeveral]);
}

#[test]
fn more_back_than_was_sent_is_warned_of_and_counted_as_sent() {
    let mut ledger = Ledger::new();
    ledger.post(&the_action("A", "a"));
    ledger.post(&payment("E-1", 1, "2012-02-10", "CSTR 1"));
    let back = |key: &str, kind: &str, cents: i64| line(key, 1, kind, cents, "2012-02-20", "RET 1");
    assert_eq!(ledger.post(&back("R-1", "PAYMENT_RETURNED", 10_000)), Posted);
    assert_eq!(ledger.warnings, []);
    // The same again under another key, and a recovery of what came back already.
    assert_eq!(ledger.post(&back("R-2", "PAYMENT_RETURNED", 10_000)), Posted);
    assert_eq!(ledger.post(&back("R-3", "RECOVERY", 1)), Posted);
    assert_eq!(ledger.warnings, [ReturnedAboveSent, ReturnedAboveSent]);
    assert_eq!(moved(&ledger), [("erp".to_owned(), 10_000, 20_001)]);
    ledger.post(&withdrawal("R-2", 2));
    ledger.post(&withdrawal("R-3", 2));
    assert_eq!(moved(&ledger), [("erp".to_owned(), 10_000, 10_000)]);
}

/// A number under which nothing was sent is no transfer that a bank shows.
#[test]
fn a_recovery_alone_is_in_no_list_of_transfers() {
    let mut ledger = Ledger::new();
    ledger.post(&the_action("A", "a"));
    let is_listed = |ledger: &Ledger| {
        let transfer = ledger.state.remittances.values().next().unwrap();
        let item = portal::store::to_item(transfer).unwrap();
        ["by_view", "by_scheme", "shown"].map(|name| item.contains_key(name))
    };
    ledger.post(&line("R-1", 1, "RECOVERY", 30_000, "2012-06-01", "REC 1"));
    assert_eq!(ledger.warnings, [ReturnedAboveSent]);
    assert_eq!((is_listed(&ledger), moved(&ledger)), ([false; 3], vec![("erp".to_owned(), 0, 30_000)]));
    ledger.post(&payment("E-1", 1, "2012-07-01", "CSTR 1"));
    assert_eq!(is_listed(&ledger), [true; 3]);
    let transfer = ledger.state.remittances.values().next().unwrap();
    let shown = (transfer.date().unwrap().to_string(), transfer.bank_reference());
    assert_eq!(shown, ("2012-07-01".to_owned(), Some("CSTR 1")), "the payment says its day and reference");
    ledger.post(&withdrawal("E-1", 2));
    assert_eq!(is_listed(&ledger), [false; 3]);
}

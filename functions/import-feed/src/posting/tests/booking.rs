//! The instant of booking: one for a transaction, and each view in the order of its numbers.

use jiff::{SignedDuration, Timestamp};

use super::ledger::{Ledger, action, contribution, entry};
use crate::posting::Verdict::{Corrected, Posted};

const ACCOUNT: &str = "012345";

/// The instants of all entries, by their numbers, of a ledger of one view.
fn instants(ledger: &Ledger) -> Vec<Timestamp> {
    let mut entries: Vec<_> = ledger.entries().collect();
    entries.sort_by_key(|entry| entry.posting);
    entries.into_iter().map(|entry| entry.booked_at).collect()
}

fn paid(version: u64, cents: i64) -> serde_json::Value {
    entry("E-1", version, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", cents, "2012-02-10")
}

/// A ledger with an action of 2011.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    ledger
}

#[test]
fn each_transaction_is_booked_later_than_the_one_before_it() {
    let mut ledger = ledger();
    let began = ledger.now();
    assert_eq!(ledger.post(&paid(1, 100)), Posted);
    // The same instant of the clock, and a clock that is behind: another machine's.
    assert_eq!(ledger.post(&paid(2, 200)), Corrected);
    ledger.set_clock(began - SignedDuration::from_secs(5));
    assert_eq!(ledger.post(&contribution("C-1", 1, ACCOUNT, "CONTRIBUTION_LEGAL", 7, "2012-02-28", 2011)), Posted);
    ledger.set_clock(began + SignedDuration::from_secs(5));
    assert_eq!(ledger.post(&contribution("C-2", 1, ACCOUNT, "CONTRIBUTION_LEGAL", 7, "2012-02-28", 2011)), Posted);
    let after = |milliseconds| began + SignedDuration::from_millis(milliseconds);
    // The action was booked when it began. A reversal and what replaces it are one transaction.
    assert_eq!(instants(&ledger), [after(1), after(2), after(2), after(3), after(5_000)]);
}

#[test]
fn a_transaction_has_one_instant_in_all_of_its_views() {
    let mut ledger = ledger();
    let began = ledger.now();
    assert_eq!(ledger.post(&paid(1, 100)), Posted);
    assert_eq!(ledger.post(&contribution("C-1", 1, ACCOUNT, "CONTRIBUTION_LEGAL", 7, "2012-02-28", 2012)), Posted);
    ledger.set_clock(began - SignedDuration::from_secs(5));
    // From 2012, which was booked to at the beginning, to 2011, which was a millisecond later.
    assert_eq!(ledger.post(&contribution("C-1", 2, ACCOUNT, "CONTRIBUTION_LEGAL", 7, "2012-02-28", 2011)), Corrected);
    let of_c1 = ledger.entries().filter(|entry| entry.source_key.as_str() == "C-1" && entry.source_version == 2);
    let of_c1: Vec<_> = of_c1.map(|entry| (entry.view.year(), entry.booked_at)).collect();
    assert_eq!(of_c1.len(), 2, "a reversal and what replaces it");
    assert!(of_c1.iter().all(|(_, at)| *at == began + SignedDuration::from_millis(2)), "{of_c1:?}");
}

//! An action gets another number: its entries move to that, and what names the old one follows.

use portal::domain::{Identifier, MemberNumber};
use portal::store::ActionPlace;
use serde_json::Value;

use super::ledger::{Ledger, action, entry, withdrawal};
use crate::feed::Reason;
use crate::posting::Verdict::{Corrected, Pending, Posted, Quarantined, Stale, Withdrawn};

const ACCOUNT: &str = "012345";
const OTHER: &str = "630378";

fn numbered(version: u64, id: &str) -> Value {
    action("A-1", version, ACCOUNT, id, "COMMITTED", "PLAN", "2011-12-31")
}

fn committed(key: &str, version: u64, id: &str, cents: i64) -> Value {
    entry(key, version, ACCOUNT, id, "COMMITMENT", cents, "2011-12-31")
}

/// The entries in force at a number: how many, and what is committed.
fn at(ledger: &Ledger, account: &str, id: &str) -> (u32, i64) {
    let place =
        ActionPlace { account: MemberNumber::parse(account).unwrap(), action_id: Identifier::parse(id).unwrap() };
    ledger.action(&place).map_or((0, 0), |action| (action.entries, action.sums.committed.0))
}

#[test]
fn a_new_number_takes_the_entries_along() {
    let mut ledger = Ledger::new();
    ledger.post(&numbered(1, "provisional"));
    ledger.post(&committed("E-1", 1, "provisional", 1_800));
    ledger.post(&entry("E-2", 1, ACCOUNT, "provisional", "PAYMENT_TO_COMPANY", 500, "2012-02-01"));
    assert_eq!(ledger.post(&numbered(2, "2011-77")), Corrected);
    assert_eq!((at(&ledger, ACCOUNT, "provisional"), at(&ledger, ACCOUNT, "2011-77")), ((0, 0), (2, 1_800)));
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_800, 500, 0, 0])].into());
    // Two entries, two reversals, two replacements that name the new number.
    let named = |id: &str| ledger.entries().filter(|entry| entry.action_id.as_ref().unwrap().as_str() == id).count();
    assert_eq!((named("provisional"), named("2011-77")), (4, 2));
    // The back office may go on to name either.
    assert_eq!(ledger.post(&committed("E-3", 1, "2011-77", 7)), Posted);
    assert_eq!(ledger.post(&committed("E-4", 1, "provisional", 8)), Pending, "released right after");
    assert_eq!(ledger.post(&committed("E-1", 2, "provisional", 1_000)), Pending);
    assert_eq!((ledger.pendings().len(), at(&ledger, ACCOUNT, "2011-77")), (0, (4, 1_015)));
    // Stale versions of the old number change nothing, and back it goes.
    assert_eq!(ledger.post(&numbered(1, "provisional")), Stale);
    assert_eq!(ledger.post(&numbered(3, "provisional")), Corrected);
    assert_eq!((at(&ledger, ACCOUNT, "provisional"), at(&ledger, ACCOUNT, "2011-77")), ((4, 1_015), (0, 0)));
}

#[test]
fn a_number_and_an_account_change_at_once_and_whatever_comes_first() {
    let mut ledger = Ledger::new();
    ledger.post(&numbered(1, "provisional"));
    ledger.post(&committed("E-1", 1, "provisional", 1_800));
    let moved = action("A-1", 2, OTHER, "2012-77", "COMMITTED", "DIF", "2012-01-01");
    assert_eq!(ledger.post(&moved), Corrected);
    assert_eq!((at(&ledger, ACCOUNT, "provisional"), at(&ledger, OTHER, "2012-77")), ((0, 0), (1, 1_800)));
    assert_eq!((ledger.figures(ACCOUNT), ledger.figures(OTHER)), ([].into(), [(2012, [1_800, 0, 0, 0])].into()));
    // The final number first, entries of the old one, and then the old version, late.
    let mut late = Ledger::new();
    late.post(&numbered(2, "2011-77"));
    assert_eq!(late.post(&committed("E-1", 1, "provisional", 1_800)), Pending);
    assert_eq!((late.post(&numbered(1, "provisional")), late.pendings().len()), (Stale, 0));
    assert_eq!(at(&late, ACCOUNT, "2011-77"), (1, 1_800));
}

#[test]
fn a_number_that_is_left_is_free_and_one_that_is_taken_is_not() {
    let mut ledger = Ledger::new();
    ledger.post(&numbered(1, "2011-1"));
    ledger.post(&committed("E-1", 1, "2011-1", 1_800));
    ledger.post(&numbered(2, "2011-2"));
    // Another action under the number that was left.
    let other = action("A-2", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31");
    assert_eq!(ledger.post(&other), Posted);
    assert_eq!(ledger.post(&committed("E-2", 1, "2011-1", 5)), Posted);
    assert_eq!((at(&ledger, ACCOUNT, "2011-1"), at(&ledger, ACCOUNT, "2011-2")), ((1, 5), (1, 1_800)));
    let taken = Quarantined(Reason::in_field("action-of-another-key", "action_id"));
    assert_eq!(ledger.post(&numbered(3, "2011-1")), taken);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_805, 0, 0, 0])].into());
    assert_eq!((ledger.post(&withdrawal("E-2", 2)), ledger.post(&withdrawal("A-2", 2))), (Withdrawn, Withdrawn));
    assert_eq!(ledger.post(&numbered(3, "2011-1")), Corrected);
    assert_eq!(at(&ledger, ACCOUNT, "2011-1"), (1, 1_800));
}

#[test]
fn a_move_to_a_number_that_was_cut_off_goes_on() {
    let mut ledger = Ledger::new();
    ledger.post(&numbered(1, "2011-1"));
    for key in ["E-1", "E-2"] {
        ledger.post(&committed(key, 1, "2011-1", 10));
    }
    ledger.post_and_die(&numbered(2, "2011-2"));
    assert_eq!(at(&ledger, ACCOUNT, "2011-1"), (2, 20));
    // Another number before the move to the first one is done, and the old one is taken.
    ledger.post_and_die(&numbered(3, "2011-3"));
    ledger.post_and_die(&action("A-2", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    ledger.post(&numbered(3, "2011-3"));
    assert_eq!((at(&ledger, ACCOUNT, "2011-1"), at(&ledger, ACCOUNT, "2011-3")), ((0, 0), (2, 20)));
}

#[test]
fn an_action_that_waits_for_its_member_is_found_under_each_number_that_it_had() {
    let mut ledger = Ledger::without(ACCOUNT);
    assert_eq!(ledger.post(&numbered(1, "provisional")), Pending);
    assert_eq!(ledger.post(&numbered(2, "2011-77")), Pending);
    assert_eq!(ledger.post(&committed("E-1", 1, "provisional", 1_800)), Pending);
    ledger.come(ACCOUNT);
    assert_eq!((ledger.waiting().len(), ledger.pendings().len()), (0, 0));
    assert_eq!(at(&ledger, ACCOUNT, "2011-77"), (1, 1_800));
}

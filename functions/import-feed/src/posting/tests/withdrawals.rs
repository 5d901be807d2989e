//! What a withdrawal takes back, and what may follow it.

use portal::domain::{ActionStatus, Scheme};
use serde_json::Value;

use super::ledger::{Ledger, action, contribution, entry, facet, withdrawal};
use crate::feed::Reason;
use crate::posting::Verdict::{Corrected, Pending, Posted, Quarantined, Stale, Unchanged, Withdrawn};
use crate::warning::Warning;

const ACCOUNT: &str = "012345";
const OTHER: &str = "630378";

fn plan(version: u64, account: &str) -> Value {
    action("A-1", version, account, "2011-1", "COMMITTED", "PLAN", "2011-12-31")
}

fn paid(version: u64, cents: i64) -> Value {
    entry("E-2", version, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", cents, "2012-02-10")
}

/// An action with 1,000 committed and 400 paid.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.post(&plan(1, ACCOUNT));
    ledger.post(&entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_000, "2011-12-31"));
    assert_eq!(ledger.post(&paid(1, 400)), Posted);
    ledger
}

#[test]
fn a_payment_that_never_was_is_reversed_and_not_replaced() {
    let mut ledger = ledger();
    assert_eq!(ledger.post(&withdrawal("E-2", 2)), Withdrawn);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    let reversal = ledger.entries().find(|entry| entry.reverses.is_some()).expect("a reversal");
    assert_eq!((reversal.facts.amount.0, reversal.source_version), (-400, 2));
    assert_eq!(ledger.entries().count(), 3);
    // What came before and what it said do not come back.
    assert_eq!(ledger.post(&withdrawal("E-2", 2)), Unchanged);
    assert_eq!(ledger.post(&paid(1, 400)), Stale);
    assert_eq!(ledger.post(&withdrawal("E-2", 1)), Stale);
    assert_eq!(ledger.post(&paid(2, 400)), Quarantined(Reason::of("conflicting-version")));
    let of_other_kind = action("E-2", 3, ACCOUNT, "2011-2", "COMMITTED", "PLAN", "2011-12-31");
    assert_eq!(ledger.post(&of_other_kind), Quarantined(Reason::in_field("key-of-another-record", "source_key")));
    assert_eq!(ledger.entries().count(), 3);
    // A later version is posted, corrected, and withdrawn again.
    assert_eq!(ledger.post(&paid(3, 250)), Posted);
    assert_eq!(ledger.post(&paid(4, 260)), Corrected);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 260, 0, 0])].into());
    assert_eq!(ledger.post(&withdrawal("E-2", 5)), Withdrawn);
    assert_eq!(ledger.post(&withdrawal("E-2", 6)), Withdrawn);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    assert_eq!(ledger.warnings, []);
}

#[test]
fn what_remains_was_overpaid_and_recovered_goes_with_what_is_withdrawn() {
    let mut ledger = ledger();
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [600, 0, 0]);
    ledger.post(&entry("E-3", 1, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", 900, "2012-02-10"));
    ledger.post(&entry("E-4", 1, ACCOUNT, "2011-1", "RECOVERY", 50, "2012-03-10"));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 250, 50]);
    // A recovery that never was, then the payment of too much, then the promise itself.
    ledger.post(&withdrawal("E-4", 2));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 300, 0]);
    ledger.post(&withdrawal("E-3", 2));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [600, 0, 0]);
    ledger.post(&withdrawal("E-1", 2));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 400, 0]);
    // Nothing remains of an action that is closed, and something does again when it comes back.
    ledger.post(&entry("E-1", 3, ACCOUNT, "2011-1", "COMMITMENT", 1_000, "2011-12-31"));
    ledger.post(&action("A-1", 2, ACCOUNT, "2011-1", "CLOSED", "PLAN", "2011-12-31"));
    ledger.post(&withdrawal("E-2", 2));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 0, 0]);
    ledger.post(&withdrawal("E-1", 4));
    assert_eq!(ledger.post(&withdrawal("A-1", 3)), Withdrawn);
    ledger.post(&entry("E-1", 5, ACCOUNT, "2011-1", "COMMITMENT", 700, "2011-12-31"));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [0, 0, 0]);
    ledger.post(&plan(4, ACCOUNT));
    assert_eq!(ledger.outcome(ACCOUNT, 2011), [700, 0, 0]);
}

#[test]
fn a_contribution_is_withdrawn_as_an_entry_of_an_action_is() {
    let mut ledger = Ledger::new();
    ledger.post(&contribution("C-1", 1, ACCOUNT, "CONTRIBUTION_LEGAL", 500, "2012-02-28", 2012));
    assert_eq!(ledger.post(&withdrawal("C-1", 2)), Withdrawn);
    assert_eq!((ledger.figures(ACCOUNT).len(), ledger.entries().count()), (0, 2));
}

#[test]
fn a_withdrawal_of_what_is_in_force_with_its_version_conflicts() {
    let mut ledger = ledger();
    assert_eq!(ledger.post(&withdrawal("E-2", 1)), Quarantined(Reason::of("conflicting-version")));
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 400, 0, 0])].into());
}

/// The order of arrival does not matter: what was withdrawn before it came is not posted.
#[test]
fn a_withdrawal_that_comes_first_is_told_and_holds() {
    let mut ledger = Ledger::new();
    ledger.post(&plan(1, ACCOUNT));
    for verdict in [Withdrawn, Unchanged] {
        assert_eq!(ledger.post(&withdrawal("E-2", 2)), verdict);
        assert_eq!(std::mem::take(&mut ledger.warnings), [Warning::WithdrawalOfNothing]);
    }
    assert_eq!(ledger.post(&paid(1, 400)), Stale);
    assert_eq!(ledger.post(&withdrawal("A-9", 1)), Withdrawn);
    assert_eq!((ledger.figures(ACCOUNT).values().sum_of(1), ledger.entries().count()), (0, 0));
    assert_eq!(ledger.post(&paid(3, 400)), Posted);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [0, 400, 0, 0])].into());
}

trait SumOf {
    fn sum_of(self, measure: usize) -> i64;
}

impl<'a, I: Iterator<Item = &'a [i64; 4]>> SumOf for I {
    fn sum_of(self, measure: usize) -> i64 {
        self.map(|figures| figures[measure]).sum()
    }
}

#[test]
fn what_waits_for_its_action_is_withdrawn_with_what_it_would_have_corrected() {
    let mut ledger = ledger();
    let elsewhere = entry("E-2", 2, ACCOUNT, "later", "PAYMENT_TO_COMPANY", 300, "2012-02-10");
    assert_eq!(ledger.post(&elsewhere), Pending);
    assert_eq!(ledger.post(&withdrawal("E-2", 3)), Withdrawn);
    assert_eq!((ledger.pendings().len(), &ledger.warnings), (0, &vec![Warning::PendingCorrection]));
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    ledger.post(&action("A-2", 1, ACCOUNT, "later", "COMMITTED", "PLAN", "2011-12-31"));
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    // Nothing was ever in force of this one.
    assert_eq!(ledger.post(&entry("E-3", 1, ACCOUNT, "never", "COMMITMENT", 7, "2012-02-10")), Pending);
    assert_eq!(ledger.post(&withdrawal("E-3", 2)), Withdrawn);
    assert_eq!((ledger.pendings().len(), ledger.warnings.len()), (0, 1));
}

#[test]
fn what_waits_for_its_member_is_withdrawn() {
    let mut ledger = Ledger::without(OTHER);
    assert_eq!(ledger.post(&plan(1, OTHER)), Pending);
    assert_eq!(ledger.post(&entry("E-1", 1, OTHER, "2011-1", "COMMITMENT", 1_000, "2011-12-31")), Pending);
    assert_eq!(ledger.post(&withdrawal("E-1", 2)), Withdrawn);
    assert_eq!(ledger.post(&withdrawal("A-1", 2)), Withdrawn);
    assert_eq!((ledger.waiting(), ledger.warnings.len()), (Vec::new(), 0));
    ledger.come(OTHER);
    assert_eq!((ledger.figures(OTHER).len(), ledger.entries().count()), (0, 0));
    assert_eq!(ledger.post(&plan(1, OTHER)), Stale);
    assert_eq!(ledger.post(&entry("A-1", 3, OTHER, "2011-1", "COMMITMENT", 1, "2011-12-31")), {
        Quarantined(Reason::in_field("key-of-another-record", "source_key"))
    });
}

#[test]
fn an_entry_that_moved_is_withdrawn_where_it_is_now() {
    let mut ledger = ledger();
    ledger.post(&action("A-1", 2, OTHER, "2011-1", "COMMITTED", "PLAN", "2012-01-01"));
    assert_eq!(ledger.figures(OTHER), [(2012, [1_000, 400, 0, 0])].into());
    assert_eq!(ledger.post(&withdrawal("E-2", 2)), Withdrawn);
    assert_eq!(ledger.figures(OTHER), [(2012, [1_000, 0, 0, 0])].into());
    // The run that moved it was killed before it moved the entries.
    ledger.post_and_die(&action("A-1", 3, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2012-01-01"));
    assert_eq!(ledger.post(&withdrawal("E-1", 2)), Withdrawn);
    assert_eq!(ledger.figures(OTHER).values().sum_of(0) + ledger.figures(ACCOUNT).values().sum_of(0), 0);
}

#[test]
fn an_action_is_withdrawn_after_its_entries() {
    let mut ledger = ledger();
    let in_use = Quarantined(Reason::in_field("action-in-use", "source_key"));
    assert_eq!(ledger.post(&withdrawal("A-1", 2)), in_use);
    ledger.post(&withdrawal("E-1", 2));
    assert_eq!(ledger.post(&withdrawal("A-1", 2)), in_use);
    assert!(facet(&ledger, "2011", Scheme::Plan, ActionStatus::Committed).is_some());
    ledger.post(&withdrawal("E-2", 2));
    assert_eq!(ledger.post(&withdrawal("A-1", 2)), Withdrawn);
    assert_eq!(ledger.figures(ACCOUNT).len(), 0);
    assert_eq!(ledger.post(&withdrawal("A-1", 2)), Unchanged);
    assert_eq!(ledger.post(&plan(1, ACCOUNT)), Stale);
    // What names it waits until it comes again.
    assert_eq!(ledger.post(&paid(3, 400)), Pending);
    assert_eq!(ledger.post(&plan(3, ACCOUNT)), Posted);
    assert_eq!((ledger.figures(ACCOUNT), ledger.pendings().len()), ([(2011, [0, 400, 0, 0])].into(), 0));
}

#[test]
fn an_action_whose_entries_are_still_to_be_moved_is_in_use() {
    let mut ledger = ledger();
    ledger.post_and_die(&action("A-1", 2, OTHER, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    assert_eq!(ledger.post(&withdrawal("A-1", 3)), Quarantined(Reason::in_field("action-in-use", "source_key")));
    assert_eq!(ledger.figures(OTHER), [(2011, [1_000, 400, 0, 0])].into());
}

/// It was in three accounts, was withdrawn in the second and comes again in the third: what names any of them is posted
/// there.
#[test]
fn entries_find_an_action_that_comes_again_in_another_account() {
    let third = "248411";
    let mut ledger = Ledger::new();
    ledger.post(&plan(1, ACCOUNT));
    ledger.post(&plan(2, OTHER));
    assert_eq!(ledger.post(&withdrawal("A-1", 3)), Withdrawn);
    for (key, account) in [("E-1", ACCOUNT), ("E-2", OTHER), ("E-3", third)] {
        assert_eq!(ledger.post(&entry(key, 1, account, "2011-1", "COMMITMENT", 100, "2011-12-31")), Pending);
    }
    assert_eq!(ledger.post(&plan(4, third)), Posted);
    assert_eq!((ledger.figures(third), ledger.pendings().len()), ([(2011, [300, 0, 0, 0])].into(), 0));
    assert_eq!(ledger.post(&entry("E-4", 1, ACCOUNT, "2011-1", "COMMITMENT", 10, "2011-12-31")), Pending);
    assert_eq!((ledger.figures(third), ledger.pendings().len()), ([(2011, [310, 0, 0, 0])].into(), 0));
}

//! Waiting records: since when they wait, and what is said of a correction that does.

use jiff::SignedDuration;
use portal::domain::{Cents, MemberNumber};

use super::ledger::{Ledger, action, entry, withdrawal};
use crate::posting::Verdict::{Corrected, Pending, Posted, Unchanged, Withdrawn};
use crate::warning::{Particulars, Warned, Warning};

const ACCOUNT: &str = "012345";
const OTHER: &str = "630378";

fn committed() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    ledger.post(&entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_800, "2011-12-31"));
    ledger
}

fn figures(sent: i64, in_force: i64, account: Option<&str>) -> Particulars {
    let account = account.map(|number| MemberNumber::parse(number).unwrap());
    let (amount_cents, in_force_cents) = (Some(Cents(sent)), Some(Cents(in_force)));
    Particulars { amount_cents, in_force_cents, account, ..Particulars::default() }
}

#[test]
fn a_correction_that_waits_is_told_with_both_amounts() {
    let mut ledger = committed();
    let mistyped = entry("E-1", 2, ACCOUNT, "2011-l", "COMMITMENT", 3_000, "2011-12-31");
    assert_eq!(ledger.post(&mistyped), Pending);
    let warned = Warned { warning: Warning::PendingCorrection, figures: figures(3_000, 1_800, None), doubted: None };
    assert_eq!(ledger.warned, std::slice::from_ref(&warned));
    assert_eq!(ledger.figures(ACCOUNT)[&2011][0], 1_800, "the old amount is in force");
    // As long as it waits, each time that it is sent.
    assert_eq!(ledger.post(&mistyped), Pending);
    assert_eq!(ledger.warned, [warned.clone(), warned]);
    // Not what is posted, and not what waits without a version before it.
    let mut ledger = committed();
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "2011-1", "COMMITMENT", 3_000, "2011-12-31")), Corrected);
    let first = entry("E-2", 1, ACCOUNT, "2011-l", "COMMITMENT", 7, "2011-12-31");
    assert_eq!((ledger.post(&first), ledger.post(&first)), (Pending, Pending));
    assert_eq!(ledger.post(&entry("E-2", 2, ACCOUNT, "2011-2", "COMMITMENT", 8, "2011-12-31")), Pending);
    assert_eq!(ledger.warnings, []);
}

#[test]
fn a_correction_that_waits_for_its_member_is_told_too() {
    let mut ledger = Ledger::without(OTHER);
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    ledger.post(&entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_800, "2011-12-31"));
    assert_eq!(ledger.post(&entry("E-1", 2, OTHER, "2011-1", "COMMITMENT", 3_000, "2011-12-31")), Pending);
    let told = [
        Warned {
            warning: Warning::ActionInAnotherAccount,
            figures: figures(3_000, 1_800, Some(ACCOUNT)),
            doubted: None,
        },
        Warned { warning: Warning::PendingCorrection, figures: figures(3_000, 1_800, None), doubted: None },
    ];
    assert_eq!(ledger.warned, told);
}

#[test]
fn a_correction_with_another_accounts_number_is_told_apart_from_one_with_a_mistyped_action() {
    let kinds = |account: &str, id: &str| {
        let mut ledger = committed();
        assert_eq!(ledger.post(&entry("E-1", 2, account, id, "COMMITMENT", 3_000, "2011-12-31")), Pending);
        ledger.warnings
    };
    let (elsewhere, waits) = (Warning::ActionInAnotherAccount, Warning::PendingCorrection);
    assert_eq!(kinds(OTHER, "2011-1"), [elsewhere, waits]);
    assert_eq!(kinds(OTHER, "2011-2"), [waits]);
    assert_eq!(kinds(ACCOUNT, "2011-2"), [waits]);
}

/// A back office that sends a new version each night does not make what waits any younger.
#[test]
fn a_version_that_takes_the_place_of_one_that_waits_has_waited_as_long() {
    let mut ledger = Ledger::without(OTHER);
    ledger.post(&action("A-1", 1, ACCOUNT, "2011-1", "COMMITTED", "PLAN", "2011-12-31"));
    let begun = ledger.now();
    let sent = |version, account, id| entry("E-1", version, account, id, "COMMITMENT", 5, "2011-12-31");
    assert_eq!(ledger.post(&sent(1, ACCOUNT, "2011-9")), Pending);
    ledger.wait(SignedDuration::from_hours(24));
    assert_eq!(ledger.post(&sent(2, ACCOUNT, "2011-9")), Pending);
    assert_eq!((ledger.pendings()[0].source_version, ledger.pendings()[0].since), (2, begun));
    ledger.wait(SignedDuration::from_hours(24));
    assert_eq!(ledger.post(&sent(3, OTHER, "2011-9")), Pending);
    assert_eq!((ledger.waiting()[0].source_version, ledger.waiting()[0].since), (3, begun));
    // Its member came, its action did not.
    ledger.come(OTHER);
    assert_eq!((ledger.pendings().len(), ledger.pendings()[0].since), (1, begun));
    // What ended its wait begins anew.
    assert_eq!(ledger.post(&withdrawal("E-1", 4)), Withdrawn);
    let later = ledger.now();
    assert_eq!(ledger.post(&sent(5, ACCOUNT, "2011-9")), Pending);
    assert_eq!(ledger.pendings()[0].since, later);
    assert_eq!(ledger.post(&sent(6, ACCOUNT, "2011-1")), Posted);
    assert_eq!(ledger.post(&sent(6, ACCOUNT, "2011-1")), Unchanged);
}

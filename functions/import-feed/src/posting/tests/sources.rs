//! Two systems that number their actions alike mean different ones.

use portal::domain::Identifier;
use portal::store::{ActionPlace, Awaits};
use serde_json::Value;

use super::ledger::{Ledger, action, contribution, entry, withdrawal};
use crate::posting::Verdict::{Corrected, Pending, Posted, Quarantined, Unchanged, Withdrawn};
use crate::warning::Warning;

const ACCOUNT: &str = "012345";
const OTHER: &str = "630378";

fn plan(key: &str, version: u64, account: &str) -> Value {
    action(key, version, account, "2011-1", "COMMITTED", "PLAN", "2011-12-31")
}

fn commitment(key: &str, version: u64, cents: i64) -> Value {
    entry(key, version, ACCOUNT, "2011-1", "COMMITMENT", cents, "2011-12-31")
}

/// An action of `erp` with 1,000 committed; what is posted from now on comes from another source.
fn ledger(source: &str) -> Ledger {
    let mut ledger = Ledger::new();
    ledger.post(&plan("A-1", 1, ACCOUNT));
    ledger.post(&commitment("E-1", 1, 1_000));
    ledger.of_source(source);
    ledger
}

#[test]
fn an_entry_waits_whose_action_another_source_sent() {
    let mut ledger = ledger("crm");
    // The key is another source's, too.
    assert_eq!(ledger.post(&commitment("E-1", 1, 500)), Pending);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    assert_eq!((ledger.pendings()[0].awaits, ledger.warnings.len()), (Awaits::Source, 1));
    // It is told again when it is sent again, and not when its action is.
    assert_eq!(ledger.post(&commitment("E-1", 1, 500)), Pending);
    ledger.of_source("erp");
    assert_eq!(ledger.post(&plan("A-1", 2, ACCOUNT)), Corrected);
    assert_eq!(std::mem::take(&mut ledger.warnings), [Warning::ActionOfAnotherSource; 2]);
    assert_eq!(ledger.figures(ACCOUNT), [(2011, [1_000, 0, 0, 0])].into());
    // A contribution names no action.
    ledger.of_source("crm");
    assert_eq!(ledger.post(&contribution("C-1", 1, ACCOUNT, "CONTRIBUTION_LEGAL", 7, "2012-02-28", 2012)), Posted);
    // Its ways out: a version that names an action of its own, a withdrawal, or a pair.
    ledger.post(&action("A-1", 1, ACCOUNT, "crm-1", "COMMITTED", "PLAN", "2011-12-31"));
    assert_eq!(ledger.post(&entry("E-1", 2, ACCOUNT, "crm-1", "COMMITMENT", 500, "2011-12-31")), Posted);
    assert_eq!(ledger.post(&commitment("E-2", 1, 300)), Pending);
    assert_eq!(ledger.post(&withdrawal("E-2", 2)), Withdrawn);
    assert_eq!((ledger.pendings().len(), ledger.figures(ACCOUNT)[&2011]), (0, [1_500, 0, 0, 0]));
}

#[test]
fn what_waited_is_posted_once_the_pair_is_allowed() {
    let mut ledger = ledger("crm");
    assert_eq!(ledger.post(&commitment("E-1", 1, 500)), Pending);
    assert_eq!(ledger.post(&commitment("E-2", 1, 50)), Pending);
    ledger.with_sources("erp,crm,crm:erp");
    // Whichever of them is sent again brings all that waits for the action.
    assert_eq!(ledger.post(&commitment("E-2", 1, 50)), Pending);
    assert_eq!((ledger.pendings().len(), ledger.figures(ACCOUNT)[&2011]), (0, [1_550, 0, 0, 0]));
    assert_eq!(ledger.post(&commitment("E-2", 1, 50)), Unchanged);
}

#[test]
fn a_pair_holds_one_way() {
    let mut of_bank = ledger("bank");
    assert_eq!(of_bank.post(&entry("P-1", 1, ACCOUNT, "2011-1", "PAYMENT_TO_COMPANY", 400, "2012-02-10")), Posted);
    assert_eq!(of_bank.figures(ACCOUNT), [(2011, [1_000, 400, 0, 0])].into());
    of_bank.post(&action("B-1", 1, ACCOUNT, "bank-1", "COMMITTED", "PLAN", "2011-12-31"));
    of_bank.of_source("erp");
    assert_eq!(of_bank.post(&entry("E-9", 1, ACCOUNT, "bank-1", "COMMITMENT", 1, "2011-12-31")), Pending);
}

/// Whatever came first: the entry, its action, its member, or a move of the action.
#[test]
fn no_order_of_arrival_lets_it_through() {
    let mut entry_first = Ledger::new();
    entry_first.of_source("crm");
    assert_eq!(entry_first.post(&commitment("E-1", 1, 500)), Pending);
    assert_eq!((entry_first.pendings()[0].awaits, entry_first.warnings.len()), (Awaits::Action, 0));
    entry_first.of_source("erp");
    entry_first.post(&plan("A-1", 1, ACCOUNT));
    assert_eq!((entry_first.pendings()[0].awaits, entry_first.warnings.len()), (Awaits::Source, 1));

    let mut member_last = Ledger::without(ACCOUNT);
    member_last.post(&plan("A-1", 1, ACCOUNT));
    member_last.of_source("crm");
    assert_eq!(member_last.post(&commitment("E-1", 1, 500)), Pending);
    member_last.come(ACCOUNT);
    assert_eq!((member_last.pendings()[0].awaits, member_last.warnings.len()), (Awaits::Source, 1));

    let mut moved = ledger("erp");
    moved.post(&plan("A-1", 2, OTHER));
    moved.of_source("crm");
    assert_eq!(moved.post(&commitment("E-1", 1, 500)), Pending);
    for ledger in [&entry_first, &member_last, &moved] {
        assert_eq!(ledger.entries().filter(|entry| entry.source.as_str() == "crm").count(), 0);
        assert_eq!(ledger.pendings().len(), 1);
    }
    // A correction that names another source's action leaves what it corrects in force.
    let mut corrected = ledger("crm");
    corrected.post(&action("A-1", 1, ACCOUNT, "crm-1", "COMMITTED", "PLAN", "2011-12-31"));
    assert_eq!(corrected.post(&entry("E-1", 1, ACCOUNT, "crm-1", "COMMITMENT", 500, "2011-12-31")), Posted);
    assert_eq!(corrected.post(&commitment("E-1", 2, 600)), Pending);
    assert_eq!(corrected.figures(ACCOUNT)[&2011], [1_500, 0, 0, 0]);
}

/// It waits for its own source's action of that number, which cannot come while the other's is there.
#[test]
fn an_action_of_a_number_that_another_source_uses_is_put_aside() {
    let mut ledger = ledger("crm");
    assert!(
        matches!(ledger.post(&plan("A-1", 1, ACCOUNT)), Quarantined(reason) if reason.code == "action-of-another-key")
    );
    let place = ActionPlace {
        account: portal::domain::MemberNumber::parse(ACCOUNT).unwrap(),
        action_id: Identifier::parse("2011-1").unwrap(),
    };
    assert_eq!(ledger.action(&place).unwrap().state.unwrap().source.as_str(), "erp");
}

//! The history of an action, in the account that had it.

use portal::store::ActionChange::{Added, Changed, Moved, Withdrawn};
use portal::store::{ActionChange, ActionVersion};
use serde_json::{Value, json};

use super::ledger::{Ledger, action, entry, withdrawal};
use crate::posting::Verdict::{self, Corrected, Pending, Quarantined, Stale, Unchanged};

const ACCOUNT: &str = "012345";
const OTHER: &str = "630378";

fn version(version: u64, account: &str, status: &str, engaged: &str) -> Value {
    action("A-1", version, account, "2011-1", status, "PLAN", engaged)
}

/// A version: its change, its number in its source, and what it said and replaced: status and engagement.
fn told(version: &ActionVersion) -> (ActionChange, u64, [Option<String>; 2]) {
    let said = [&version.state, &version.replaced].map(|state| {
        let state = state.as_ref()?;
        Some(format!("{} {}", state.status.as_str(), state.engagement_date))
    });
    (version.change, version.source_version, said)
}

fn history(ledger: &Ledger, account: &str) -> Vec<(ActionChange, u64, [Option<String>; 2])> {
    ledger.history(account, "2011-1").into_iter().map(told).collect()
}

fn said(now: &str, before: &str) -> [Option<String>; 2] {
    [now, before].map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[test]
fn each_version_keeps_what_it_said_and_what_it_replaced() {
    let mut ledger = Ledger::new();
    ledger.post(&version(1, ACCOUNT, "COMMITTED", "2011-12-31"));
    ledger.post(&version(3, ACCOUNT, "REFUSED", "2011-12-31"));
    let mut other_title = version(4, ACCOUNT, "REFUSED", "2011-12-31");
    other_title["title"] = json!("Autre titre");
    assert_eq!(ledger.post(&other_title), Corrected);
    // To another view.
    ledger.post(&version(5, ACCOUNT, "REFUSED", "2012-01-01"));
    let expected = [
        (Added, 1, said("COMMITTED 2011-12-31", "")),
        (Changed, 3, said("REFUSED 2011-12-31", "COMMITTED 2011-12-31")),
        (Changed, 4, said("REFUSED 2011-12-31", "REFUSED 2011-12-31")),
        (Changed, 5, said("REFUSED 2012-01-01", "REFUSED 2011-12-31")),
    ];
    assert_eq!(history(&ledger, ACCOUNT), expected);
    let titles = |version: &ActionVersion| version.state.clone().map(|state| state.title);
    assert_eq!(
        ledger.history(ACCOUNT, "2011-1").into_iter().filter_map(titles).collect::<Vec<_>>(),
        ["Formation 2011-1", "Formation 2011-1", "Autre titre", "Formation 2011-1"]
    );
}

#[test]
fn what_changes_nothing_is_no_version() {
    let mut ledger = Ledger::new();
    let first = version(2, ACCOUNT, "COMMITTED", "2011-12-31");
    ledger.post(&first);
    let verdicts: Vec<Verdict> =
        [first, version(1, ACCOUNT, "PAID", "2011-12-31"), version(2, ACCOUNT, "PAID", "2011-12-31")]
            .iter()
            .map(|record| ledger.post(record))
            .collect();
    assert!(matches!(verdicts[..], [Unchanged, Stale, Quarantined(_)]), "{verdicts:?}");
    // Nor are its entries.
    ledger.post(&entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_000, "2011-12-31"));
    assert_eq!(history(&ledger, ACCOUNT), [(Added, 2, said("COMMITTED 2011-12-31", ""))]);
}

#[test]
fn a_version_stays_with_the_account_that_had_the_action_then() {
    let mut ledger = Ledger::new();
    ledger.post(&version(1, ACCOUNT, "COMMITTED", "2011-12-31"));
    ledger.post(&entry("E-1", 1, ACCOUNT, "2011-1", "COMMITMENT", 1_000, "2011-12-31"));
    ledger.post(&version(2, OTHER, "PAID", "2011-12-31"));
    let left = (Moved, 2, said("", "COMMITTED 2011-12-31"));
    assert_eq!(history(&ledger, ACCOUNT), [(Added, 1, said("COMMITTED 2011-12-31", "")), left.clone()]);
    // Neither company reads what was said in the other's account.
    assert_eq!(history(&ledger, OTHER), [(Added, 2, said("PAID 2011-12-31", ""))]);
    ledger.post(&version(3, ACCOUNT, "CLOSED", "2011-12-31"));
    let back = (Added, 3, said("CLOSED 2011-12-31", ""));
    assert_eq!(history(&ledger, ACCOUNT), [(Added, 1, said("COMMITTED 2011-12-31", "")), left, back]);
    assert_eq!(history(&ledger, OTHER)[1], (Moved, 3, said("", "PAID 2011-12-31")));
}

#[test]
fn a_withdrawal_is_a_version_and_so_is_what_comes_after() {
    let mut ledger = Ledger::new();
    ledger.post(&version(1, ACCOUNT, "COMMITTED", "2011-12-31"));
    ledger.post(&withdrawal("A-1", 2));
    ledger.post(&version(3, ACCOUNT, "COMMITTED", "2011-12-31"));
    let expected = [
        (Added, 1, said("COMMITTED 2011-12-31", "")),
        (Withdrawn, 2, said("", "COMMITTED 2011-12-31")),
        (Added, 3, said("COMMITTED 2011-12-31", "")),
    ];
    assert_eq!(history(&ledger, ACCOUNT), expected);
}

#[test]
fn an_action_that_waited_for_its_member_has_the_batch_that_it_came_with() {
    let mut ledger = Ledger::without(ACCOUNT);
    assert_eq!(ledger.post(&version(1, ACCOUNT, "COMMITTED", "2011-12-31")), Pending);
    ledger.of_batch("later");
    ledger.come(ACCOUNT);
    let [first] = ledger.history(ACCOUNT, "2011-1")[..] else { panic!("one version") };
    assert_eq!((first.batch_id.as_str(), first.source.as_str(), first.source_key.as_str()), ("batch", "erp", "A-1"));
}

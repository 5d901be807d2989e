//! Any sequence of records, in any order, repeated, killed anywhere: the end is that of a plain model.

use std::collections::{BTreeMap, BTreeSet};

use portal::domain::{Identifier, View, ViewRule};
use portal::store::{Action, ActionPlace, ActionState, ActionSums, Entry, Home};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ledger::{Ledger, Sums, action, contribution, entry, record, withdrawal};
use crate::feed::LedgerRecord;

const ACCOUNTS: [&str; 2] = ["012345", "630378"];
const DATES: [&str; 3] = ["2010-05-05", "2011-12-31", "2012-01-01"];

/// The content follows from key and version, as it does in a back office.
///
/// With `complete`, the newest version of every entry names an action that comes, so nothing waits in the end; then no
/// action is withdrawn, which may or may not have entries in force when the withdrawal comes.
fn records(complete: bool) -> impl Strategy<Value = Vec<Value>> {
    let number = (0..3_usize, 0..3_u8);
    let actions = prop::collection::vec((number, 0..2_usize, 0..4_usize, 0..3_usize, 0..2_usize, 0..4_u8), 0..7);
    let entries =
        prop::collection::vec((0..5_usize, 0..2_usize, 0..4_usize, 0..8_usize, 1..900_i64, 0..3_usize, 0..4_u8), 0..16);
    (actions, entries).prop_map(move |(actions, entries)| {
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        let mut next = |key: &str| {
            let version = versions.entry(key.to_owned()).or_default();
            *version += 1;
            *version
        };
        let mut all = Vec::new();
        for ((number, other), account, status, date, scheme, is_withdrawn) in actions {
            // A version may have another number.
            let id = if other == 0 { format!("id-{number}-final") } else { format!("id-{number}") };
            let key = format!("A-{number}");
            let (status, scheme) = (["COMMITTED", "PAID", "CLOSED", "CANCELLED"][status], ["PLAN", "DIF"][scheme]);
            let version = next(&key);
            all.push(action(&key, version, ACCOUNTS[account], &id, status, scheme, DATES[date]));
            if !complete && is_withdrawn == 0 {
                all.push(withdrawal(&key, next(&key)));
            }
        }
        for (number, account, on, kind, cents, date, is_withdrawn) in entries {
            let key = format!("E-{number}");
            let version = next(&key);
            if on == 3 {
                let kind = ["CONTRIBUTION_LEGAL", "CONTRIBUTION_REFUND"][kind % 2];
                let year = [2009, 2012, 2013][date];
                all.push(numbered(
                    contribution(&key, version, ACCOUNTS[account], kind, cents, DATES[date], year),
                    cents,
                ));
            } else {
                let kind = [
                    "COMMITMENT",
                    "COMMITMENT_CANCELLATION",
                    "INVOICE_RECEIVED",
                    "INVOICE_REJECTED",
                    "PAYMENT_TO_COMPANY",
                    "PAYMENT_RETURNED",
                    "RECOVERY",
                    "PAYMENT_TO_PROVIDER",
                ][kind];
                let mut entry = entry(&key, version, ACCOUNTS[account], &format!("id-{on}"), kind, cents, DATES[date]);
                // Without a payee what comes back goes by what is known of its transfer when it is posted, which no
                // model of the end can tell.
                if complete || cents % 2 == 0 {
                    entry["payee"] = json!(["COMPANY", "PROVIDER"][usize::from(cents % 4 < 2)]);
                }
                all.push(numbered(entry, cents));
            }
            if is_withdrawn == 0 {
                all.push(withdrawal(&key, next(&key)));
            }
        }
        if complete { completed(all) } else { all }
    })
}

/// Of two transfers, so that corrections change the transfer, and some have none; also what no transfer pays.
fn numbered(mut entry: Value, cents: i64) -> Value {
    entry["bank_reference"] = json!(["CSTR 1", "CSTR 2"][usize::from(cents % 5 == 0)]);
    if cents % 7 < 4 {
        entry["invoice_number"] = json!(["F-1", "F-2"][usize::from(cents % 7 < 2)]);
    }
    if cents % 3 > 0 {
        entry["remittance_number"] = json!(["V-1", "V-2"][usize::from(cents % 3 == 2)]);
    }
    entry
}

/// Makes the newest version of each entry one that does not wait for ever.
fn completed(mut all: Vec<Value>) -> Vec<Value> {
    let newest = |all: &[Value], index: usize| {
        all[index + 1..].iter().all(|later| later["source_key"] != all[index]["source_key"])
    };
    for index in 0..all.len() {
        if !newest(&all, index) || all[index].get("action_id").is_none() || all[index]["record"] == "action" {
            continue;
        }
        let id = all[index]["action_id"].clone();
        let versions = || all.iter().filter(|value| value["record"] == "action" && value["action_id"] == id);
        if versions().any(|version| version["member_number"] == all[index]["member_number"]) {
            // An account that the action had at some time will do.
        } else if let Some(home) = versions().next_back().map(|version| version["member_number"].clone()) {
            all[index]["member_number"] = home;
        } else {
            let (key, version) =
                (all[index]["source_key"].as_str().unwrap(), all[index]["source_version"].as_u64().unwrap());
            all[index] = contribution(key, version, ACCOUNTS[0], "CONTRIBUTION_LEGAL", 77, DATES[2], 2012);
        }
    }
    all
}

/// What the newest versions add up to, where nothing waits for an action that never came.
fn model(all: &[Value]) -> Sums {
    let mut newest: BTreeMap<String, (u64, LedgerRecord)> = BTreeMap::new();
    for value in all {
        let record = record(value);
        let version = value["source_version"].as_u64().unwrap();
        let slot = newest.entry(record.source_key().to_string()).or_insert_with(|| (version, record.clone()));
        if version > slot.0 {
            *slot = (version, record);
        }
    }
    let rule = ViewRule::starting(View::parse("2011").unwrap());
    let mut sums = Sums::default();
    let mut actions: BTreeMap<String, Action> = BTreeMap::new();
    for (_, record) in newest.values() {
        if let LedgerRecord::Action(record) = record {
            let mut action = Action::unknown(record.member_number.clone(), record.action_id.clone());
            action.state = Some(ActionState {
                source: Identifier::parse("erp").unwrap(),
                source_key: record.source_key.clone(),
                title: record.title.clone(),
                home: Home { view: rule.of_engagement(record.engagement_date), scheme: record.scheme },
                status: record.status,
                engagement_date: record.engagement_date,
            });
            action.sums = ActionSums::default();
            sums.add_action(&action);
            actions.insert(record.source_key.to_string(), action);
        }
    }
    for (_, record) in newest.values() {
        let LedgerRecord::Entry(record) = record else { continue };
        let action = record.action_id.as_ref().map(|id| {
            let number = id.as_str().split('-').nth(1).unwrap();
            actions.get(&format!("A-{number}")).expect("every action came")
        });
        let home = action.and_then(|action| action.state.as_ref()).map(|state| state.home);
        let view = home.map_or_else(|| rule.of_year(record.facts.year.unwrap()), |home| home.view);
        let entry = Entry {
            entry_id: Entry::id_of(&record.source_key, &record.source_key, 1, 0),
            // Where its action has moved, it is there too.
            member_number: action.map_or(&record.member_number, |action| &action.member_number).clone(),
            siret: portal::domain::Siret::parse("53384615000019").unwrap(),
            action_id: action.map(|action| action.action_id.clone()),
            view,
            posting: 0,
            scheme: home.map(|home| home.scheme),
            facts: record.facts.clone(),
            booked_at: jiff::Timestamp::UNIX_EPOCH,
            source: record.source_key.clone(),
            source_key: record.source_key.clone(),
            source_version: 1,
            batch_id: record.source_key.clone(),
            reverses: None,
            came_back_from: None,
            title: None,
        };
        sums.add_entry(&entry, action);
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// `Ledger` holds the totals against the entries after every single transaction of this.
    #[test]
    fn any_order_with_repeats_and_crashes_ends_in_the_models_state(
        (complete, all, order, crashes, comes) in any::<bool>().prop_flat_map(|complete| {
            records(complete).prop_map(move |all| (complete, all))
        }).prop_flat_map(|(complete, all)| {
            let twice: Vec<Value> = all.iter().chain(&all).cloned().collect();
            let count = twice.len();
            let crashes = prop::collection::vec(any::<bool>(), count);
            (Just(complete), Just(all), Just(twice).prop_shuffle(), crashes, (any::<bool>(), 0..=count))
        }),
    ) {
        // One of the accounts comes some time, or is there from the beginning.
        let mut ledger = Ledger::without(ACCOUNTS[1]);
        let (dies, at) = comes;
        for (place, (value, crash)) in order.iter().zip(crashes).enumerate() {
            if place == at {
                if dies { ledger.come_and_die(ACCOUNTS[1]) } else { ledger.come(ACCOUNTS[1]) }
            }
            if crash { ledger.post_and_die(value) } else { ledger.post(value) };
        }
        ledger.come(ACCOUNTS[1]);
        ledger.follow_up();
        prop_assert_eq!(ledger.waiting(), []);
        if complete {
            let (totals, facets) = model(&all).totals();
            prop_assert_eq!(ledger.pendings().len(), 0);
            prop_assert_eq!(ledger.stored(), (totals, facets));
        }
        // An action that had entries in force when its withdrawal came may have none any more.
        for value in all.iter().chain(&all).filter(|_| !complete) {
            ledger.post(value);
        }
        // Once more changes nothing.
        let (before, count) = (ledger.stored(), ledger.entries().count());
        for value in &all {
            ledger.post(value);
        }
        prop_assert_eq!(ledger.stored(), before);
        prop_assert_eq!(ledger.entries().count(), count);
    }

    /// Two systems with the same keys and the same numbers of actions, which `Ledger` holds against their entries, too.
    #[test]
    fn no_sequence_of_two_sources_posts_an_entry_on_an_action_that_it_may_not_name(
        (other, order, crashes) in (any::<bool>(), records(false), records(false)).prop_flat_map(|all| {
            let (is_pair, ours, theirs) = all;
            let other = if is_pair { "bank" } else { "crm" };
            let ours = ours.into_iter().map(|value| ("erp", value));
            let all: Vec<_> = ours.chain(theirs.into_iter().map(|value| (other, value))).collect();
            let crashes = prop::collection::vec(any::<bool>(), all.len());
            (Just(other), Just(all).prop_shuffle(), crashes)
        }),
    ) {
        let mut ledger = Ledger::new();
        for ((source, value), crash) in order.iter().zip(crashes) {
            ledger.of_source(source);
            if crash { ledger.post_and_die(value) } else { ledger.post(value) };
        }
        ledger.follow_up();
        let reversed: BTreeSet<_> = ledger.entries().filter_map(|entry| Some(entry.reverses?.entry_id)).collect();
        for entry in ledger.entries().filter(|it| it.reverses.is_none() && !reversed.contains(&it.entry_id)) {
            let Some(action_id) = entry.action_id.clone() else { continue };
            let place = ActionPlace { account: entry.member_number.clone(), action_id };
            let of_action = ledger.action(&place).and_then(|action| action.state).map(|state| state.source);
            let of_action = of_action.as_ref().map(Identifier::as_str);
            let is_of_erp = of_action == Some("erp") && other == "bank";
            prop_assert!(of_action == Some(entry.source.as_str()) || is_of_erp, "{:?} {entry:?}", of_action);
        }
    }
}

//! No sequence of records of the contract makes a transaction, or an item of one, that the store would refuse.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portal::store::{Item, Record, to_item};
use serde_json::json;

use super::ledger::{Ledger, action, entry};
use crate::feed::Reason;
use crate::posting::Verdict::{Corrected, Posted, Quarantined};
use crate::posting::{Changes, State};

#[path = "../../../tests/support/bounds.rs"]
mod draws;

use draws::{ACCOUNTS, Bounds};

/// The bytes that DynamoDB counts: names, texts, half a byte a digit and one more, one more for each thing in a list
/// or a map, and three for the list or map itself.
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>(),
        _ => 1,
    }
}

fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + bytes(value)).sum()
}

/// The largest of what is seen.
#[derive(Debug, Default)]
pub(super) struct Largest {
    writes: usize,
    /// By the kind of item.
    items: BTreeMap<&'static str, usize>,
    large_bytes: usize,
    other_bytes: usize,
    jobs: usize,
}

impl Largest {
    /// Looks at what one job would write.
    pub(super) fn see(&mut self, changes: &Changes) {
        let nothing = State::default();
        self.writes = self.writes.max(nothing.writes_with(changes));
        let mut other = 0;
        other += self.see_items("guard", changes.guards.values());
        other += self.see_items("action", changes.actions.values());
        other += self.see_items("facets", changes.facets.values());
        other += self.see_items("entry", changes.entries.iter());
        other += self.see_items("pending", changes.pendings.values().flatten());
        other += self.see_items("awaited", changes.awaited.values());
        other += self.see_items("waiting", changes.waiting.values().flatten());
        other += self.see_items("misposted", changes.misposted.values());
        let rows: Vec<_> = changes.remittances.values().flat_map(portal::store::Remittance::further_rows).collect();
        other += self.see_items("row", rows.iter());
        // Without what has a constant size.
        let reckoned = nothing.large_bytes_with(changes) + 2_000 * (changes.totals.len() + changes.remittances.len());
        // To make the item of a full transfer takes as long as all else here.
        let large = if self.jobs.is_multiple_of(8) {
            let totals = self.see_items("totals", changes.totals.values());
            totals + self.see_items("transfer", changes.remittances.values())
        } else {
            reckoned
        };
        assert!(large <= reckoned, "{large} bytes are more than is reckoned with");
        self.jobs += 1;
        self.large_bytes = self.large_bytes.max(large);
        self.other_bytes = self.other_bytes.max(other / nothing.writes_with(changes).max(1));
    }

    fn see_items<'a, R: Record + 'a>(&mut self, kind: &'static str, records: impl Iterator<Item = &'a R>) -> usize {
        let sizes: Vec<_> = records.map(|record| item_bytes(&to_item(record).unwrap())).collect();
        let largest = self.items.entry(kind).or_default();
        *largest = sizes.iter().copied().fold(*largest, usize::max);
        sizes.iter().sum()
    }

    /// Holds the largest against what DynamoDB takes.
    fn hold(&self) {
        assert!(self.writes <= 100, "{self:?}");
        assert!(self.items.values().all(|bytes| *bytes <= 400 * 1_024), "{self:?}");
        // A hundred items as large as these, and the totals and transfers that a transaction may have: below 4 MB.
        assert!(2_000_000 + 100 * self.other_bytes <= 4 * 1_024 * 1_024, "{self:?}");
        assert!(self.large_bytes <= 2_000_000, "{self:?}");
    }
}

/// Posts records of two systems to accounts of which one comes in the middle; gives what was put aside, by reason.
fn post(records: usize, seed: u64, largest: &mut Largest) -> BTreeMap<&'static str, usize> {
    let mut ledger = Ledger::without(ACCOUNTS[2]);
    ledger.inspect_with(std::mem::take(largest));
    let mut put_aside = BTreeMap::new();
    let mut drawn = ["erp", "bank"].map(|source| (source, Bounds::of(seed * 2 + u64::from(source == "erp"))));
    for place in 0..records {
        if place == records / 2 {
            ledger.come(ACCOUNTS[2]);
        }
        let (source, bounds) = &mut drawn[usize::from(place % 3 == 0)];
        ledger.of_source(source);
        if let Quarantined(reason) = ledger.post(&bounds.record()) {
            *put_aside.entry(reason.code).or_default() += 1;
        }
    }
    *largest = ledger.inspected();
    put_aside
}

/// Tells whether these are faults of the feed in itself: `draws` has keys and actions at random.
fn is_of_feed(reasons: &BTreeMap<&'static str, usize>) -> bool {
    let known = ["action-in-use", "action-of-another-key", "conflicting-version", "key-of-another-record"];
    reasons.keys().all(|reason| known.contains(reason))
}

/// A thousand; with `AT_THE_BOUNDS=100000` as many as one has minutes for, two thousand a ledger.
#[test]
#[allow(clippy::disallowed_methods, reason = "how many is up to who runs it")]
fn no_records_at_the_bounds_make_what_the_store_refuses() {
    let records = std::env::var("AT_THE_BOUNDS").map_or(1_000, |given| given.parse().expect("a number of records"));
    let mut largest = Largest::default();
    for seed in 1.. {
        let before = usize::try_from(seed - 1).unwrap() * 2_000;
        if before >= records {
            break;
        }
        let put_aside = post((records - before).min(2_000), seed, &mut largest);
        assert!(is_of_feed(&put_aside), "{put_aside:?}");
    }
    largest.hold();
}

const ACCOUNT: &str = "012345";

/// A payment of a transfer that has all days and references that it may have.
fn paying(key: &str, version: u64, bank: &str) -> serde_json::Value {
    let mut record = entry(key, version, ACCOUNT, "a", "PAYMENT_TO_COMPANY", 100, "2012-02-10");
    record["remittance_number"] = json!("0");
    record["bank_reference"] = json!(bank);
    record
}

/// A ledger whose transfer has no room for another reference, and how many lines it has.
fn full() -> (Ledger, usize) {
    let mut ledger = Ledger::new();
    ledger.inspect_with(Largest::default());
    ledger.post(&action("A", 1, ACCOUNT, "a", "PARTLY_PAID", "PLAN", "2012-01-01"));
    for place in 0.. {
        let bank = format!("\u{1f3d7}{place:03}").repeat(35);
        ledger.post(&paying(&format!("E-{place}"), 1, &bank));
        if ledger.ignored > 0 {
            return (ledger, place);
        }
    }
    unreachable!("a transfer is full some time");
}

fn lines(ledger: &Ledger) -> usize {
    let transfers = ledger.state.remittances.values();
    transfers.map(|transfer| usize::try_from(transfer.unreversed()).unwrap()).sum()
}

#[test]
fn what_is_in_a_full_transfer_is_corrected_and_moves_in_it() {
    let (mut ledger, of) = full();
    assert_eq!(lines(&ledger), of);
    let bank = |place: usize| format!("\u{1f3d7}{place:03}").repeat(35);
    // The same reference, another of no more bytes, and none.
    for (version, bank) in [(2, bank(0)), (3, bank(999)), (4, "-".to_owned())] {
        let mut correction = paying("E-0", version, &bank);
        correction["amount_cents"] = json!(100 + version);
        assert_eq!((ledger.post(&correction), ledger.ignored, lines(&ledger)), (Corrected, 1, of));
    }
    // There is room for what was corrected away, and no more.
    assert_eq!((ledger.post(&paying("F-1", 1, &bank(998))), ledger.ignored, lines(&ledger)), (Posted, 1, of + 1));
    assert_eq!((ledger.post(&paying("F-2", 1, &bank(997))), ledger.ignored, lines(&ledger)), (Posted, 2, of + 1));
    // To another view, and back: the days and references stay.
    for (version, engaged) in [(2, "2013-01-01"), (3, "2012-01-01")] {
        ledger.post(&action("A", version, ACCOUNT, "a", "PARTLY_PAID", "PLAN", engaged));
        assert_eq!((ledger.ignored, lines(&ledger)), (2, of + 1));
    }
    // To another account, whose transfer of that number has room for one line less.
    ledger.post(&action("B", 1, "630378", "b", "PARTLY_PAID", "PLAN", "2012-01-01"));
    let mut other = paying("G-1", 1, &bank(996));
    (other["member_number"], other["action_id"]) = (json!("630378"), json!("b"));
    ledger.post(&other);
    ledger.post(&action("A", 4, "630378", "a", "PARTLY_PAID", "PLAN", "2012-01-01"));
    assert_eq!((ledger.ignored, lines(&ledger)), (3, of + 1));
    ledger.inspected().hold();
}

/// Each view is an item, which every line writes: one that goes from one transfer to another writes those of both.
#[test]
fn a_transfer_pays_for_so_many_views_as_two_have_in_a_transaction() {
    let mut ledger = Ledger::new();
    ledger.inspect_with(Largest::default());
    for year in 2011..2061 {
        let id = format!("a-{year}");
        ledger.post(&action(&id, 1, ACCOUNT, &id, "PARTLY_PAID", "PLAN", &format!("{year}-01-01")));
        for number in ["0", "1"] {
            let mut record = paying(&format!("E-{year}-{number}"), 1, "-");
            (record["action_id"], record["remittance_number"]) = (json!(id), json!(number));
            assert_eq!(ledger.post(&record), Posted);
        }
    }
    assert_eq!((ledger.ignored, lines(&ledger)), (20, 80));
    let mut record = paying("E-2011-0", 2, "-");
    (record["action_id"], record["remittance_number"]) = (json!("a-2012"), json!("1"));
    assert_eq!(ledger.post(&record), Corrected);
    let inspected = ledger.inspected();
    inspected.hold();
    assert!(inspected.writes > 80, "both transfers were written whole");
}

/// The accounts that it has had are a chain, which is followed one by one.
#[test]
fn an_entry_of_an_account_that_its_action_left_a_thousand_moves_ago_is_put_aside_alone() {
    let mut ledger = Ledger::new();
    for version in 1..=1_002 {
        ledger.post_and_die(&action("A", version, &format!("{version:06}"), "a", "PAID", "PLAN", "2012-01-01"));
    }
    let at = |key, account| entry(key, 1, account, "a", "COMMITMENT", 100, "2012-02-10");
    let reason = Reason::in_field("action-moved-too-often", "action_id");
    assert_eq!(ledger.post(&at("E-1", "000001")), Quarantined(reason));
    assert_eq!(ledger.post(&at("E-2", "001002")), Posted);
}

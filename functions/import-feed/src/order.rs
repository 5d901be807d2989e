//! In which order the records of a batch are posted.

use std::collections::{HashMap, HashSet};

use portal::domain::{Identifier, MemberNumber};

use crate::feed::LedgerRecord;
use crate::groups::Groups;

/// Where a record is posted among the others: the smaller first, equal ones in the order of the file.
///
/// Records that a source key or an action links are posted one after the other, so that an action changes in
/// few transactions, whatever stands between its entries in the file; records that nothing links can be
/// exchanged.
/// Among them an action comes before its entries, which saves these the detour over pending. But one that a record
/// before it names in another account, or its key under another number, has moved, and what came before the move is posted
/// before it. The order of one key's versions stays: a key names actions or entries, never both.
///
/// Withdrawals, and all that stands before the last of them, keep the order of the file: an action is withdrawn after its
/// entries, and whose last entry a record takes away nothing here says.
pub(crate) fn order<'a>(records: impl Iterator<Item = &'a LedgerRecord> + Clone) -> Vec<(usize, bool)> {
    let is_withdrawal = |record: &&LedgerRecord| matches!(record, LedgerRecord::Withdrawal(_));
    let withdrawals = records.clone().filter(is_withdrawal).count();
    let mut linked = Groups::default();
    let mut of_key: HashMap<&Identifier, usize> = HashMap::new();
    let mut of_action: HashMap<&Identifier, usize> = HashMap::new();
    let mut accounts: HashMap<&Identifier, &MemberNumber> = HashMap::new();
    let mut moved: HashSet<&Identifier> = HashSet::new();
    let mut held: HashSet<&Identifier> = HashSet::new();
    let mut numbers: HashMap<&Identifier, &Identifier> = HashMap::new();
    let mut withdrawn = 0;
    let mut ranks: Vec<(usize, bool)> = Vec::new();
    for record in records {
        let mut is_behind = true;
        let place = linked.add();
        linked.join(place, *of_key.entry(record.source_key()).or_insert(place));
        if withdrawn < withdrawals {
            linked.join(place, 0);
        }
        withdrawn += usize::from(is_withdrawal(&record));
        if let Some(action_id) = record.action_id() {
            linked.join(place, *of_action.entry(action_id).or_insert(place));
            if let Some(number) = record.member_number()
                && *accounts.entry(action_id).or_insert(number) != number
            {
                moved.insert(action_id);
            }
            if let LedgerRecord::Action(action) = record {
                let number = numbers.insert(&action.source_key, action_id).filter(|number| *number != action_id);
                if let Some(number) = number {
                    // Renumbered: another action may have its old number behind it.
                    moved.extend([number, action_id]);
                }
                if moved.contains(action_id) {
                    held.insert(&action.source_key);
                }
                is_behind = withdrawn > 0 || held.contains(&action.source_key);
            }
        }
        ranks.push((place, is_behind));
    }
    ranks.into_iter().map(|(place, is_behind)| (linked.root(place), is_behind)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::feed::Line;

    fn record(value: &Value) -> LedgerRecord {
        LedgerRecord::read(&Line { number: 1, content: Ok(value.to_string().as_bytes()) }).unwrap()
    }

    fn action(key: &str, number: &str, action: &str) -> LedgerRecord {
        record(&json!({"record": "action", "source_key": key, "source_version": 1, "member_number": number,
            "action_id": action, "title": "CACES", "scheme": "PLAN", "status": "COMMITTED",
            "engagement_date": "2012-01-05"}))
    }

    fn entry(key: &str, version: u32, number: &str, action: &str) -> LedgerRecord {
        record(&json!({"record": "entry", "source_key": key, "source_version": version, "member_number": number,
            "action_id": action, "kind": "COMMITMENT", "amount_cents": 1, "effective_date": "2012-01-05",
            "label": "Engagement"}))
    }

    /// The places of records in the order in which they are posted.
    fn posted(records: &[LedgerRecord]) -> Vec<usize> {
        let ranks = order(records.iter());
        let mut places: Vec<usize> = (0..records.len()).collect();
        places.sort_by_key(|place| ranks[*place]);
        places
    }

    #[test]
    fn an_action_comes_before_its_entries_and_they_come_together() {
        let records = [
            entry("E-1", 1, "012345", "X"),
            entry("E-2", 1, "012345", "Y"),
            action("A-Y", "012345", "Y"),
            entry("E-3", 1, "012345", "X"),
            action("A-X", "012345", "X"),
        ];
        assert_eq!(posted(&records), [4, 0, 3, 2, 1]);
    }

    #[test]
    fn versions_of_a_key_keep_their_order_whichever_actions_they_name() {
        let records = [
            entry("E-1", 1, "012345", "Y"),
            entry("E-9", 1, "012345", "X"),
            entry("E-1", 2, "012345", "X"),
            entry("E-2", 1, "012345", "Y"),
        ];
        assert_eq!(posted(&records), [0, 1, 2, 3]);
    }

    #[test]
    fn what_stands_before_a_withdrawal_is_posted_before_it() {
        let withdrawal = |key| record(&json!({"record": "withdrawal", "source_key": key, "source_version": 2}));
        let records = [
            entry("E-1", 1, "012345", "X"),
            action("A-X", "012345", "X"),
            withdrawal("E-1"),
            entry("E-2", 2, "012345", "Y"),
            withdrawal("A-X"),
            action("B-X", "012345", "X"),
            entry("E-4", 1, "012345", "Z"),
            entry("E-5", 1, "012345", "W"),
            action("A-Z", "012345", "Z"),
        ];
        assert_eq!(posted(&records), [1, 0, 2, 3, 4, 5, 6, 8, 7]);
    }

    #[test]
    fn an_action_that_moves_stays_behind_what_came_before_the_move() {
        let records = [
            entry("E-1", 1, "012345", "X"),
            action("A-X", "012345", "X"),
            entry("E-2", 1, "654321", "X"),
            action("B-X", "654321", "X"),
            entry("E-3", 1, "012345", "Z"),
        ];
        assert_eq!(posted(&records), [1, 0, 2, 3, 4]);
    }
}

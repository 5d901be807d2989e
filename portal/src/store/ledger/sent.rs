//! Batches that were taken, and the numbers that their source gave them.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Identifier;
use crate::store::{Key, Record, Table};

/// The partition of a source's batches.
fn partition(source: &Identifier) -> String {
    format!("BATCHES#{source}")
}

/// A batch that was taken: another one of its name is refused, itself is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBatch {
    /// The system that sent it.
    pub source: Identifier,
    /// Its name.
    pub batch_id: Identifier,
    /// Its number, where the source numbers its batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// SHA-256 of its number and of what it says of its files.
    pub content_hash: String,
    /// When it was taken first.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub taken_at: Timestamp,
}

impl SentBatch {
    /// The key of a batch.
    #[must_use]
    pub fn key_of(source: &Identifier, batch_id: &Identifier) -> Key {
        Key::new(Table::Ledger, partition(source), format!("BATCH#{batch_id}"))
    }
}

impl Record for SentBatch {
    fn key(&self) -> Key {
        Self::key_of(&self.source, &self.batch_id)
    }
}

/// A number of a source that a batch has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedSequence {
    /// The source.
    pub source: Identifier,
    /// The number.
    pub sequence: u64,
    /// The batch that came with it first.
    pub batch_id: Identifier,
    /// The content hash of that batch: under another name it may come with this number again.
    pub content_hash: String,
}

impl UsedSequence {
    /// The key of a number.
    #[must_use]
    pub fn key_of(source: &Identifier, sequence: u64) -> Key {
        Key::new(Table::Ledger, partition(source), format!("SEQUENCE#{sequence:016}"))
    }
}

impl Record for UsedSequence {
    fn key(&self) -> Key {
        Self::key_of(&self.source, self.sequence)
    }
}

/// The numbers of a source: up to which they came, and which of those before did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSequence {
    /// The source.
    pub source: Identifier,
    /// The highest number that came.
    pub last: u64,
    /// The numbers before it that did not, from and to, lowest first.
    pub missing: Vec<(u64, u64)>,
    /// Counted up with each write.
    pub version: u64,
}

impl SourceSequence {
    /// Each gap has two numbers here, and an item 400 KB; nobody mends a thousand one by one.
    const MOST_GAPS: usize = 1_000;

    /// The numbers of a source whose first batch that has one has this. None before it is missing.
    #[must_use]
    pub fn beginning(source: Identifier, first: u64) -> Self {
        Self { source, last: first, missing: Vec::new(), version: 0 }
    }

    /// Notes that a number came.
    pub fn note(&mut self, sequence: u64) {
        if sequence > self.last {
            if sequence - self.last > 1 {
                self.missing.push((self.last + 1, sequence - 1));
            }
            self.last = sequence;
        } else if let Some(place) = self.missing.iter().position(|(from, to)| (*from..=*to).contains(&sequence)) {
            let (from, to) = self.missing[place];
            let left = [(from, sequence.saturating_sub(1)), (sequence + 1, to)];
            let left = left.into_iter().filter(|(from, to)| from <= to);
            self.missing.splice(place..=place, left);
        }
        while self.missing.len() > Self::MOST_GAPS {
            // Numbers between the two oldest came and are called missing: the gap stays known, its bounds do not.
            let (_, to) = self.missing.remove(1);
            self.missing[0].1 = to;
        }
    }

    /// The count of numbers that are missing.
    #[must_use]
    pub fn count_missing(&self) -> u64 {
        let count = |(from, to): &(u64, u64)| (to - from).saturating_add(1);
        self.missing.iter().map(count).fold(0, u64::saturating_add)
    }

    /// The ranges of numbers that are missing, lowest first.
    pub fn gaps(&self) -> impl Iterator<Item = RangeInclusive<u64>> + '_ {
        self.missing.iter().map(|(from, to)| *from..=*to)
    }

    /// The key of a source's numbers.
    #[must_use]
    pub fn key_of(source: &Identifier) -> Key {
        Key::new(Table::Ledger, partition(source), "SEQUENCES")
    }
}

impl Record for SourceSequence {
    fn key(&self) -> Key {
        Self::key_of(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(numbers: &[u64]) -> SourceSequence {
        let mut numbers = numbers.iter().copied();
        let source = Identifier::parse("erp").unwrap();
        let mut sequence = SourceSequence::beginning(source, numbers.next().unwrap());
        numbers.for_each(|number| sequence.note(number));
        sequence
    }

    #[test]
    fn a_gap_opens_and_closes() {
        assert_eq!(of(&[5, 6, 7]).missing, []);
        assert_eq!(of(&[5, 9]).missing, [(6, 8)]);
        assert_eq!(of(&[5, 9, 7]).missing, [(6, 6), (8, 8)]);
        assert_eq!(of(&[5, 9, 7, 8, 6, 6]).missing, []);
        // None before the first is missed.
        assert_eq!((of(&[5, 3]).missing, of(&[5, 3]).last), (Vec::new(), 5));
        assert_eq!(of(&[1, (1 << 53) - 1]).count_missing(), (1 << 53) - 3);
    }

    #[test]
    fn the_item_stays_small() {
        let sequence = of(&(0..5_000).map(|n| 1 + 2 * n).collect::<Vec<_>>());
        assert_eq!((sequence.missing.len(), sequence.missing[0].0), (1_000, 2));
        assert_eq!((sequence.missing[999], sequence.last), ((9_998, 9_998), 9_999));
    }

    proptest! {
        #[test]
        fn what_is_missing_is_what_did_not_come(numbers in prop::collection::vec(1_u64..40, 1..30)) {
            let sequence = of(&numbers);
            let (first, last) = (numbers[0], *numbers.iter().max().unwrap());
            let expected: Vec<u64> = (first..=last).filter(|number| !numbers.contains(number)).collect();
            prop_assert_eq!(sequence.gaps().flatten().collect::<Vec<_>>(), expected);
            prop_assert_eq!(sequence.last, last);
        }
    }
}

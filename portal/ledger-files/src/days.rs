//! The order of rows.

use portal::store::Entry;

/// So many entries of one day are put in order at most; of a day that has more, so many at a time.
const MOST_OF_A_DAY: usize = 5_000;

/// Puts the entries of each day of a view into the order in which they were booked, a reversal behind what it
/// reverses and before what replaces it. Views and days come in their order already, from the index.
#[derive(Debug, Default)]
pub struct Days {
    day: Vec<Entry>,
}

impl Days {
    /// Takes the next entry, and gives those of the day before, where that is over.
    #[must_use]
    pub fn next(&mut self, entry: Entry) -> Vec<Entry> {
        let same_day = |last: &Entry| (last.view, last.facts.date) == (entry.view, entry.facts.date);
        let over = self.day.last().is_some_and(|last| !same_day(last)) || self.day.len() >= MOST_OF_A_DAY;
        let before = if over { self.last() } else { Vec::new() };
        self.day.push(entry);
        before
    }

    /// The entries of the last day.
    #[must_use]
    pub fn last(&mut self) -> Vec<Entry> {
        let mut day = std::mem::take(&mut self.day);
        Entry::sort_as_booked(&mut day);
        day
    }
}

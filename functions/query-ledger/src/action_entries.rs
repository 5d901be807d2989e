//! An action's entries in order, with or without those that a move took back.

use std::collections::{HashMap, HashSet};

use portal::domain::Id;
use portal::store::{Entry, MispostedRecords};

use crate::entry::EntryBody;
use crate::filter::Moves;
use crate::part::fit;

/// Entries of an action, as they were booked, from one of them on.
pub(crate) struct ActionEntries {
    entries: Vec<Entry>,
    /// The reversal of each entry that has one.
    reversals: HashMap<Id, Id>,
    /// Entries that a move took back, and the reversals that did.
    of_moves: HashSet<Id>,
}

/// A part of them.
pub(crate) struct EntryPart {
    pub(crate) moves: Moves,
    pub(crate) entries: Vec<EntryBody>,
    /// The count of those left out before, between and behind these, up to where the next part begins.
    pub(crate) folded: usize,
    /// The last one of the part, where there are more.
    pub(crate) last: Option<Entry>,
}

impl ActionEntries {
    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        Entry::sort_as_booked(&mut entries);
        let reversals = entries.iter().filter_map(|entry| Some((entry.reverses?.entry_id, entry.entry_id))).collect();
        let versions: HashMap<Id, u64> = entries.iter().map(|entry| (entry.entry_id, entry.source_version)).collect();
        let mut of_moves = HashSet::new();
        for entry in &entries {
            // A correction and a withdrawal are later versions than what they reverse; a move is of the same.
            if let Some(reversed) = entry.reverses
                && versions.get(&reversed.entry_id) == Some(&entry.source_version)
            {
                of_moves.extend([reversed.entry_id, entry.entry_id]);
            }
        }
        Self { entries, reversals, of_moves }
    }

    /// Goes on behind an entry, the last of a part; `None` where there is no such entry.
    pub(crate) fn behind(mut self, last: Id) -> Option<Self> {
        let place = self.entries.iter().position(|entry| entry.entry_id == last)?;
        self.entries.drain(..=place);
        Some(self)
    }

    /// The next part. Where nothing else is asked for, all entries if they are one part, and otherwise those that no move
    /// took back.
    pub(crate) fn part(
        &self,
        moves: Option<Moves>,
        limit: Option<usize>,
        room: usize,
        misposted: &MispostedRecords,
    ) -> EntryPart {
        let part = |moves| self.part_with(moves, limit, room, misposted);
        match moves {
            Some(moves) => part(moves),
            None => Some(part(Moves::All)).filter(|all| all.last.is_none()).unwrap_or_else(|| part(Moves::Folded)),
        }
    }

    fn part_with(&self, moves: Moves, limit: Option<usize>, room: usize, misposted: &MispostedRecords) -> EntryPart {
        let is_folded = |entry: &Entry| moves == Moves::Folded && self.of_moves.contains(&entry.entry_id);
        let shown = || self.entries.iter().filter(|entry| !is_folded(entry));
        let body = |entry: &Entry| {
            EntryBody::reversed(self.reversals.get(&entry.entry_id).copied(), misposted.readable(entry.clone()))
        };
        let fitting = fit(shown().map(body), limit, room);
        let last = fitting.items.len().checked_sub(1).and_then(|last| shown().nth(last)).filter(|_| fitting.more);
        let passed = match last {
            Some(last) => self.entries.iter().position(|entry| entry.entry_id == last.entry_id).map_or(0, |at| at + 1),
            None => self.entries.len(),
        };
        EntryPart { moves, folded: passed - fitting.items.len(), last: last.cloned(), entries: fitting.items }
    }
}

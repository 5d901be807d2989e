//! What goes wrong between a back office and a portal, put in on purpose and counted.
//!
//! Troubles have dice of their own: with them or without, the accounts are the same in the end. They reach
//! no further than one action, or the last [`WINDOW`] records of an account in a batch, so that memory does
//! not grow with the feed.

use std::collections::VecDeque;
use std::io::{self, Write};

use crate::bad_lines::{bad_entry, bad_member};
use crate::batch::{Batch, Sent};
use crate::calendar::before;
use crate::distribution::{Draw, Purpose};
use crate::expected::{Injected, Outcome};
use crate::records::{ActionRecord, EntryRecord, LedgerRecord, MemberRecord};

// Per mille of entries.
const CORRECTED: u32 = 30;
const OUT_OF_ORDER: u32 = 10;
// Per mille of records.
const REPLAYED: u32 = 5;
const BAD: u32 = 1;

/// How many records of an account in a batch may be sent again.
const WINDOW: usize = 64;

/// A record as it is to be sent, before anything goes wrong with it.
pub(crate) enum Unit {
    Action(ActionRecord, Outcome),
    Entry {
        /// What was keyed in by mistake before.
        mistake: Option<Box<EntryRecord>>,
        record: EntryRecord,
    },
}

impl Unit {
    /// The records to send; of a mistake the correction first if they are swapped.
    pub(crate) fn into_lines(self, swapped: bool) -> impl Iterator<Item = Sent> {
        let entry = |record, outcome, replaced| Sent { record: LedgerRecord::Entry(record), outcome, replaced };
        let lines = match self {
            Self::Action(action, outcome) => {
                [Some(Sent { record: LedgerRecord::Action(action), outcome, replaced: false }), None]
            }
            Self::Entry { mistake: None, record } => [Some(entry(record, Outcome::Posted, false)), None],
            Self::Entry { mistake: Some(mistake), record } if swapped => {
                [Some(entry(record, Outcome::Posted, false)), Some(entry(*mistake, Outcome::Stale, true))]
            }
            Self::Entry { mistake: Some(mistake), record } => {
                [Some(entry(*mistake, Outcome::Posted, true)), Some(entry(record, Outcome::Corrected, false))]
            }
        };
        lines.into_iter().flatten()
    }
}

/// The troubles of one account.
pub(crate) struct Troubles {
    draw: Draw,
    /// For each batch the last records, with what a repeat of them comes to.
    sent: Vec<VecDeque<Sent>>,
    pub injected: Injected,
}

impl Troubles {
    pub(crate) fn new(seed: u64, index: u32, batches: usize) -> Self {
        Self {
            draw: Draw::new(seed, index, Purpose::Troubles),
            sent: (0..batches).map(|_| VecDeque::new()).collect(),
            injected: Injected::default(),
        }
    }

    /// Sends a member, now and then again, or spoiled as well.
    pub(crate) fn member<M: Write, L: Write>(
        &mut self,
        record: &MemberRecord,
        batch: &mut Batch<M, L>,
    ) -> io::Result<()> {
        if self.draw.chance(REPLAYED) {
            self.injected.replays += 1;
            batch.member(record, Outcome::Unchanged)?;
        }
        if self.draw.chance(BAD) {
            self.injected.bad_lines += 1;
            batch.bad_member(&bad_member(&mut self.draw, record))?;
        }
        Ok(())
    }

    /// Sends what belongs together, an action with its entries or the contributions of a year.
    pub(crate) fn send<M: Write, L: Write>(
        &mut self,
        units: Vec<Unit>,
        place: usize,
        batch: &mut Batch<M, L>,
    ) -> io::Result<()> {
        let arranged = self.arrange(units);
        for sent in &arranged {
            batch.send(sent)?;
        }
        let count = arranged.len();
        for sent in arranged {
            // By now the newer version is there of what was replaced, in whatever order they came.
            let outcome = if sent.replaced { Outcome::Stale } else { Outcome::Unchanged };
            let window = &mut self.sent[place];
            if window.len() == WINDOW {
                window.pop_front();
            }
            window.push_back(Sent { outcome, ..sent });
        }
        for _ in 0..count {
            if self.draw.chance(REPLAYED)
                && let Some(sent) = self.any(place)
            {
                batch.send(sent)?;
                self.injected.replays += 1;
            }
            if self.draw.chance(BAD) {
                self.spoil(place, batch)?;
            }
        }
        Ok(())
    }

    fn any(&mut self, place: usize) -> Option<&Sent> {
        let chosen = self.draw.below(self.sent[place].len() as u64);
        self.sent[place].get(usize::try_from(chosen).unwrap_or_default())
    }

    fn spoil<M: Write, L: Write>(&mut self, place: usize, batch: &mut Batch<M, L>) -> io::Result<()> {
        // A version in force, for the same version with another amount must be a conflict and not late.
        let in_force = self.sent[place].iter().rev().find_map(|sent| match &sent.record {
            LedgerRecord::Entry(entry) if !sent.replaced => Some(entry),
            _ => None,
        });
        if let Some(good) = in_force {
            self.injected.bad_lines += 1;
            batch.bad(&bad_entry(&mut self.draw, good, self.injected.bad_lines))?;
        }
        Ok(())
    }

    /// Makes mistakes in entries and puts some out of order.
    fn arrange(&mut self, mut units: Vec<Unit>) -> Vec<Sent> {
        for unit in &mut units {
            if let Unit::Entry { mistake, record } = unit
                && mistake.is_none()
                && self.draw.chance(CORRECTED)
            {
                self.injected.corrections += 1;
                *mistake = Some(Box::new(self.mistaken(record)));
                record.source_version = 2;
            }
        }
        let mut in_order: Vec<(Unit, bool)> = units.into_iter().map(|unit| (unit, false)).collect();
        for place in 0..in_order.len() {
            if !matches!(in_order[place].0, Unit::Entry { .. }) || !self.draw.chance(OUT_OF_ORDER) {
                continue;
            }
            let others = in_order.len() as u64 - 1;
            if matches!(in_order[place].0, Unit::Entry { mistake: Some(_), .. }) {
                // It stays where it is, its correction comes first. Not before its action: whether the older
                // version is then late would depend on where the import cuts the file into pieces.
                in_order[place].1 = true;
            } else if others > 0 {
                // One of the places of the others, and never the one that it had.
                let other = usize::try_from(self.draw.below(others)).unwrap_or_default();
                let moved = in_order.remove(place);
                in_order.insert(if other >= place { other + 1 } else { other }, moved);
            } else {
                continue;
            }
            self.injected.out_of_order += 1;
        }
        in_order.into_iter().flat_map(|(unit, swapped)| unit.into_lines(swapped)).collect()
    }

    fn mistaken(&mut self, record: &EntryRecord) -> EntryRecord {
        let mut mistake = record.clone();
        match record.contribution_year {
            Some(year) if self.draw.chance(200) => mistake.contribution_year = Some(year - 1),
            _ if self.draw.chance(300) => {
                mistake.effective_date = before(record.effective_date, self.draw.between(1, 20));
            }
            _ => {
                let cents = record.amount_cents;
                let part = cents * i64::from(self.draw.between(1, 50)) / 100;
                let part = if part == 0 { cents.signum() } else { part };
                let lower = self.draw.chance(500) && cents != part;
                mistake.amount_cents = if lower { cents - part } else { cents + part };
            }
        }
        mistake
    }
}

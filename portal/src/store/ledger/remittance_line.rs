//! The lines of transfers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, EntryFacts, EntryPlace, Reversed, account_of, partition, pieces};
use crate::domain::{Cents, Id, Identifier, MemberNumber, Payee, RemittanceNumber, View};
use crate::store::{Key, Query, Record, Table};

/// A line of a transfer, which it paid or which came back of it: an entry as its index carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredLine", into = "StoredLine")]
pub struct RemittanceLine {
    /// The place of the entry.
    pub place: EntryPlace,
    /// The entry.
    pub entry_id: Id,
    /// The action that it paid for.
    pub action_id: Identifier,
    /// The view of that action.
    pub view: View,
    /// Its number among the postings of that view.
    pub posting: u64,
    /// The instant at which the entry was booked.
    pub booked_at: Timestamp,
    /// The title of that action when the entry was posted.
    pub title: String,
    /// The facts of the entry, as the fund says them.
    pub facts: EntryFacts,
    /// The system that sent the entry, and numbers the transfer.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Of a reversal, what it reverses.
    pub reverses: Option<Reversed>,
    /// The side that it counts on.
    pub payee: Payee,
}

impl RemittanceLine {
    /// The entries that carry a number, of every source or of one; of each the oldest day first, and within a day as booked.
    #[must_use]
    pub fn all(account: &MemberNumber, number: &RemittanceNumber, source: Option<&Identifier>) -> Query {
        let source = source.map_or_else(String::new, |source| format!("{source}#"));
        let lines = format!("LINE#{}#{source}", number.escaped());
        Query::partition(Table::Ledger, partition(account)).local_index("by_remittance").beginning(lines)
    }

    /// Its place among the lines of all transfers: of a number, of a source, by day, and within a day as booked.
    pub(super) fn order(entry: &Entry) -> Option<String> {
        let (Entry { source, posting, entry_id, .. }, date) = (entry, entry.facts.date);
        let number = entry.transfer()?.escaped();
        Some(format!("LINE#{number}#{source}#{date}#{posting:010}#{entry_id}"))
    }

    /// Paid, or less than nothing where it came back.
    #[must_use]
    pub fn paid(&self) -> Cents {
        Entry::effect_of(&self.facts, self.reverses, self.payee).paid.total()
    }
}

impl Record for RemittanceLine {
    fn key(&self) -> Key {
        self.place.key()
    }
}

/// The attributes of an entry that the index carries.
#[derive(Clone, Serialize, Deserialize)]
struct StoredLine {
    pk: String,
    sk: String,
    by_view: String,
    source: Identifier,
    source_key: Identifier,
    facts: EntryFacts,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    booked_at: Timestamp,
    reverses: Option<Reversed>,
    came_back_from: Option<Payee>,
    title: Option<String>,
}

impl TryFrom<StoredLine> for RemittanceLine {
    type Error = String;

    fn try_from(stored: StoredLine) -> Result<Self, String> {
        let ["ENTRY", view, _, posting] = pieces(&stored.by_view)? else {
            return Err("not the index key of an entry".to_owned());
        };
        let ["ACTION", action_id, "ENTRY", _, entry_id] = pieces(&stored.sk)? else {
            return Err("a transfer pays for actions".to_owned());
        };
        Ok(Self {
            entry_id: Id::parse(entry_id).ok_or("an entry without an id")?,
            action_id: Identifier::parse(action_id).map_err(|refusal| refusal.en)?,
            view: View::parse(view).ok_or("an entry without a view")?,
            posting: posting.parse().map_err(|_| "an entry without a number")?,
            place: EntryPlace { account: account_of(&stored.pk)?, sk: stored.sk },
            booked_at: stored.booked_at,
            title: stored.title.unwrap_or_default(),
            payee: stored.facts.side(stored.reverses, stored.came_back_from),
            facts: stored.facts,
            source: stored.source,
            source_key: stored.source_key,
            reverses: stored.reverses,
        })
    }
}

impl From<RemittanceLine> for StoredLine {
    fn from(line: RemittanceLine) -> Self {
        let Key { pk, sk, .. } = line.key();
        let by_view = format!("ENTRY#{}#{}#{:010}", line.view, line.facts.date, line.posting);
        let came_back_from = Some(line.payee);
        let (source, source_key, title) = (line.source, line.source_key, Some(line.title));
        let (facts, booked_at, reverses) = (line.facts, line.booked_at, line.reverses);
        Self { pk, sk, by_view, facts, booked_at, source, source_key, reverses, came_back_from, title }
    }
}

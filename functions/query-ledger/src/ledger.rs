//! `GET /api/accounts/{number}/ledger`: the entries as they were posted.

use jiff::Timestamp;
use ledger_lists::{EntryFilter, Period};
use portal::domain::{Id, Identifier, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Booked, Entry, EntryPosition, Item, Query, ReadableEntry};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::entry::EntryBody;
use crate::filter;
use crate::list::{List, Listed, Views};
use crate::state::{StateBody, is_of};

#[derive(Serialize)]
struct PageBody {
    #[serde(flatten)]
    state: StateBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ItemBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    action_id: Option<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<Scheme>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contribution_year: Option<i16>,
    #[serde(flatten)]
    entry: EntryBody,
}

impl List for EntryFilter {
    type Row = Entry;
    const TOTALS: bool = false;
    const ENTRIES: bool = true;
    const STAYS: bool = true;

    fn views(&self) -> Option<Views> {
        self.view.map(Views::One)
    }

    fn as_text(&self) -> String {
        Self::as_text(*self)
    }

    fn range(&self, visit: &Visit, views: Views) -> Query {
        let (number, kind, Period { from, to }) = (&visit.number, self.kind, self.period);
        match views {
            Views::One(view) => Entry::list(number, view, kind, from, to),
            Views::UpTo(last) => Entry::list_from_latest(number, last, kind),
            // Days of all views are read otherwise; nothing else asks for all.
            Views::All => Entry::list_from_latest(number, View::LAST, kind),
        }
    }

    fn place(&self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        Some(Entry::place_in_list(&visit.number, self.kind, &position(cursor)?))
    }

    fn is_of(row: &Entry, state: Booked) -> bool {
        is_of(row, state)
    }

    fn at(&self) -> Option<Timestamp> {
        self.at
    }

    fn is_all(&self) -> bool {
        self.is_of_all()
    }

    fn view_of(row: &Entry) -> View {
        row.view
    }

    fn cursor(row: &Entry) -> Cursor {
        entry_cursor(row, None)
    }
}

/// The cursor of an entry, in a list that shows this state if it shows one to its end.
pub(crate) fn entry_cursor(entry: &Entry, state: Option<Booked>) -> Cursor {
    let EntryPosition { view, date, posting, entry_id } = entry.position();
    Cursor { view, date, state, id: format!("{posting}#{entry_id}") }
}

/// The position of the entry that a cursor names.
pub(crate) fn position(cursor: &Cursor) -> Option<EntryPosition> {
    let (posting, entry_id) = cursor.id.split_once('#')?;
    Some(EntryPosition {
        view: cursor.view,
        date: cursor.date,
        posting: posting.parse().ok()?,
        entry_id: Id::parse(entry_id)?,
    })
}

impl Function {
    pub(crate) async fn ledger(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let Listed { view, state, rows, misposted, next_cursor, .. } = match filter::of_entries(call.query(), call.now)
        {
            Ok(asked) if asked.filter.is_of_days() => self.list_days(call, rng, asked).await?,
            asked => self.list(call, rng, |_| asked).await?,
        };
        let item = |entry: ReadableEntry| ItemBody {
            action_id: entry.action_id.clone(),
            scheme: entry.scheme,
            contribution_year: entry.facts.year,
            entry: entry.into(),
        };
        let items = rows.into_iter().map(|entry| item(misposted.readable(entry))).collect();
        Answer::ok(&PageBody { state, view, items, next_cursor })
    }
}

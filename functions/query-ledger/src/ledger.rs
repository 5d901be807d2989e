//! `GET /api/accounts/{number}/ledger`: the entries as they were posted.

use jiff::Timestamp;
use portal::domain::{Id, Identifier, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Entry, Item, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::entry::EntryBody;
use crate::filter::{self, EntryFilter};
use crate::list::{List, Listed};

#[derive(Serialize)]
struct PageBody {
    as_of: Timestamp,
    view: View,
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

    fn view(self) -> Option<View> {
        self.view
    }

    fn as_text(self) -> String {
        Self::as_text(self)
    }

    fn of_view(self, visit: &Visit, view: View) -> Query {
        Entry::list(&visit.number, view, self.kind, self.from, self.to)
    }

    fn of_all_views(self, visit: &Visit) -> Option<Query> {
        // Days are sorted within a view.
        let is_whole = self.from.is_none() && self.to.is_none();
        is_whole.then(|| Entry::list_from_latest(&visit.number, self.kind))
    }

    fn place(self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        let (id, action_id) = (Id::parse(cursor.id.as_str())?, cursor.action_id.as_ref());
        Some(Entry::place_in_list(&visit.number, action_id, cursor.view, self.kind, cursor.date, id))
    }

    fn view_of(row: &Entry) -> View {
        row.view
    }

    fn cursor(row: &Entry) -> Cursor {
        entry_cursor(row)
    }
}

/// The cursor of an entry.
pub(crate) fn entry_cursor(entry: &Entry) -> Cursor {
    Cursor { view: entry.view, date: entry.facts.date, id: entry.entry_id.into(), action_id: entry.action_id.clone() }
}

impl Function {
    pub(crate) async fn ledger(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let Listed { view, rows, next_cursor, .. } = self.list(call, rng, filter::of_entries).await?;
        let item = |mut entry: Entry| ItemBody {
            action_id: entry.action_id.take(),
            scheme: entry.scheme,
            contribution_year: entry.facts.year,
            entry: entry.into(),
        };
        let items = rows.into_iter().map(item).collect();
        Answer::ok(&PageBody { as_of: call.now, view, items, next_cursor })
    }
}

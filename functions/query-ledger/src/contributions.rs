//! `GET /api/accounts/{number}/contributions`.

use ledger_lists::ContributionFilter;
use portal::domain::{Cents, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Booked, Entry, Item, Query, ReadableEntry};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::entry::EntryBody;
use crate::filter;
use crate::ledger::{entry_cursor, position};
use crate::list::{List, Listed, Views};
use crate::state::{StateBody, is_of};

#[derive(Serialize)]
struct PageBody {
    #[serde(flatten)]
    state: StateBody,
    view: Option<View>,
    totals: TotalsBody,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct TotalsBody {
    contributed: Cents,
}

#[derive(Serialize)]
struct ItemBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    contribution_year: Option<i16>,
    /// What it adds to what is contributed; less than nothing for what was given back or taken out.
    contributed: Cents,
    #[serde(flatten)]
    entry: EntryBody,
}

impl List for ContributionFilter {
    type Row = Entry;
    const TOTALS: bool = true;
    const ENTRIES: bool = true;

    fn views(&self) -> Option<Views> {
        self.view.map(Views::One)
    }

    fn as_text(&self) -> String {
        Self::as_text(*self)
    }

    fn range(&self, visit: &Visit, views: Views) -> Query {
        match views {
            Views::One(view) => Entry::contributions(&visit.number, view),
            Views::UpTo(last) => Entry::contributions_from_latest(&visit.number, last),
            // Contributions are never listed so.
            Views::All => Entry::contributions_from_latest(&visit.number, View::LAST),
        }
    }

    fn place(&self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        Some(Entry::place_of_contribution(&visit.number, &position(cursor)?))
    }

    fn is_of(row: &Entry, state: Booked) -> bool {
        is_of(row, state)
    }

    fn view_of(row: &Entry) -> View {
        row.view
    }

    fn cursor(row: &Entry) -> Cursor {
        entry_cursor(row, None)
    }
}

impl Function {
    pub(crate) async fn contributions(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let page = self.list(call, rng, filter::of_contributions).await?;
        let Listed { view, state, facets, rows, misposted, next_cursor, .. } = page;
        let contributed = facets.map_or(Cents::ZERO, |facets| facets.contributed);
        let item = |entry: ReadableEntry| ItemBody {
            contribution_year: entry.facts.year,
            contributed: entry.effect().contributed,
            entry: entry.into(),
        };
        let items = rows.into_iter().map(|entry| item(misposted.readable(entry))).collect();
        Answer::ok(&PageBody { state, view, totals: TotalsBody { contributed }, items, next_cursor })
    }
}

//! `GET /api/accounts/{number}/actions`.

use jiff::civil::Date;
use ledger_lists::{ActionFilter, RowFilter, Sort, SortKey};
use portal::domain::{ActionStatus, Identifier, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Facets, Item, ListedAction, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::figures::ActionFigures;
use crate::filter;
use crate::list::{List, Listed, Views};
use crate::state::StateBody;
use crate::whole::Searched;

#[derive(Serialize)]
struct PageBody {
    #[serde(flatten)]
    state: StateBody,
    view: Option<View>,
    totals: ActionFigures,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ItemBody {
    action_id: Identifier,
    title: String,
    scheme: Scheme,
    status: ActionStatus,
    engagement_date: Date,
    #[serde(flatten)]
    figures: ActionFigures,
}

impl List for ActionFilter {
    type Row = ListedAction;
    const TOTALS: bool = true;
    const ENTRIES: bool = false;

    fn views(&self) -> Option<Views> {
        self.view.map(Views::One)
    }

    fn as_text(&self) -> String {
        Self::as_text(self)
    }

    fn range(&self, visit: &Visit, views: Views) -> Query {
        match views {
            Views::One(view) => ListedAction::list(&visit.number, view, self.status, self.scheme),
            Views::UpTo(last) => ListedAction::list_from_latest(&visit.number, last, self.status, self.scheme),
            // Actions are never listed so.
            Views::All => ListedAction::list_from_latest(&visit.number, View::LAST, self.status, self.scheme),
        }
    }

    fn place(&self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        let (status, scheme, id) = (self.status, self.scheme, Identifier::parse(&cursor.id).ok()?);
        Some(ListedAction::place(&visit.number, cursor.view, status, scheme, cursor.date, &id))
    }

    fn view_of(row: &ListedAction) -> View {
        row.home.view
    }

    fn cursor(row: &ListedAction) -> Cursor {
        Cursor { view: row.home.view, date: row.engagement_date, state: None, id: row.action_id.to_string() }
    }
}

impl Searched for ActionFilter {
    fn reads_whole(&self) -> Option<&'static str> {
        let sorted = (self.sort != Sort::default()).then_some("sort");
        self.search.as_ref().map(|_| "q").or(sorted)
    }

    fn finds(&self, row: &ListedAction) -> bool {
        RowFilter::finds(self, row)
    }

    fn sort(&self) -> Sort {
        self.sort
    }

    fn key(&self, row: &ListedAction) -> (SortKey, String) {
        Self::key(self, row)
    }

    fn adds_up(&self, rows: &[ListedAction], facets: Option<&Facets>) -> bool {
        self.come_to(rows, facets)
    }

    fn facets_of(rows: &[ListedAction]) -> Option<Facets> {
        Self::facets_of(rows)
    }
}

impl Function {
    pub(crate) async fn actions(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let listed = self.searched_list(call, rng, filter::of_actions).await?;
        let Listed { state, filter, view, facets, rows, next_cursor, .. } = listed;
        let totals = facets.map(|facets| facets.filtered(filter.scheme, filter.status)).unwrap_or_default();
        let items = rows.into_iter().map(item).collect();
        Answer::ok(&PageBody { state, view, totals: totals.measures.into(), items, next_cursor })
    }
}

fn item(action: ListedAction) -> ItemBody {
    ItemBody {
        figures: action.measures().into(),
        action_id: action.action_id,
        title: action.title,
        scheme: action.home.scheme,
        status: action.status,
        engagement_date: action.engagement_date,
    }
}

//! `GET /api/accounts/{number}/actions`.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, Identifier, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Item, ListedAction, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::figures::ActionFigures;
use crate::filter::{self, Filter};
use crate::list::{List, Listed};

#[derive(Serialize)]
struct PageBody {
    as_of: Timestamp,
    view: View,
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

impl List for Filter {
    type Row = ListedAction;
    const TOTALS: bool = true;

    fn view(self) -> Option<View> {
        self.view
    }

    fn as_text(self) -> String {
        Self::as_text(self)
    }

    fn of_view(self, visit: &Visit, view: View) -> Query {
        ListedAction::list(&visit.number, Some(view), self.status, self.scheme)
    }

    fn of_all_views(self, visit: &Visit) -> Option<Query> {
        Some(ListedAction::list(&visit.number, None, self.status, self.scheme))
    }

    fn place(self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        let (status, scheme) = (self.status, self.scheme);
        Some(ListedAction::place(&visit.number, cursor.view, status, scheme, cursor.date, &cursor.id))
    }

    fn view_of(row: &ListedAction) -> View {
        row.home.view
    }

    fn cursor(row: &ListedAction) -> Cursor {
        Cursor { view: row.home.view, date: row.engagement_date, id: row.action_id.clone(), action_id: None }
    }
}

impl Function {
    pub(crate) async fn actions(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let Listed { filter, view, facets, rows, next_cursor } = self.list(call, rng, filter::of_actions).await?;
        let totals = facets.map(|facets| facets.filtered(filter.scheme, filter.status)).unwrap_or_default();
        let items = rows.into_iter().map(item).collect();
        Answer::ok(&PageBody { as_of: call.now, view, totals: totals.into(), items, next_cursor })
    }
}

fn item(action: ListedAction) -> ItemBody {
    ItemBody {
        action_id: action.action_id,
        title: action.title,
        scheme: action.home.scheme,
        status: action.status,
        engagement_date: action.engagement_date,
        figures: action.sums.into(),
    }
}

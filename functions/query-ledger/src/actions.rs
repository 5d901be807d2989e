//! `GET /api/accounts/{number}/actions`.

use futures::future::{join, join3};
use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, Identifier, Scheme, View, fund_day};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Facets, ListedAction, Page, StoreError};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::{Bound, Cursor};
use crate::figures::ActionFigures;
use crate::filter::{self, Asked};

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

/// What is asked for, and from where on.
struct Range {
    asked: Asked,
    after: Option<Cursor>,
}

impl Range {
    fn read(call: &Call, visit: &Visit, function: &Function) -> Result<Self, Problem> {
        let asked = filter::read(call.query())?;
        let open = |text: &String| Cursor::open(text, &function.cursor_key, bound(visit, &asked));
        let after = match &asked.cursor {
            None => None,
            Some(text) => Some(open(text).ok_or(Problem::BadCursor)?),
        };
        Ok(Self { asked, after })
    }

    /// The view, where it is known before anything is read.
    fn view(&self) -> Option<View> {
        self.asked.filter.view.or(self.after.as_ref().map(|cursor| cursor.view))
    }
}

fn bound<'a>(visit: &'a Visit, asked: &Asked) -> Bound<'a> {
    Bound { user: visit.ticket.claims.sub, account: &visit.number, filter: asked.filter }
}

impl Function {
    pub(crate) async fn actions(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // A query that makes no sense is a problem that comes after who may ask.
        let range = match Range::read(call, &visit, self) {
            Ok(range) => range,
            Err(problem) => {
                visit.admit(&self.store, &mut self.store.fetch(batch).await?, call.now).await?;
                return Err(problem);
            }
        };
        let (view, facets, page) = if let Some(view) = range.view() {
            let facets = batch.want::<Facets>(Facets::key_of(&visit.number, view));
            let (fetched, page) = join(self.store.fetch(batch), self.page(&visit, &range)).await;
            let mut fetched = fetched?;
            visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
            (view, fetched.take(&facets)?, page?)
        } else {
            // The latest view is not known, and asking for it first would be a second wait. An index
            // sorts by view, so the first page of all views begins with the page of the latest.
            let facets = Facets::all(&visit.number);
            let facets = self.store.query_all::<Facets>(&facets);
            let (fetched, facets, page) = join3(self.store.fetch(batch), facets, self.page(&visit, &range)).await;
            visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?;
            let latest = facets?.into_iter().find(Facets::is_shown);
            let this_year = || self.rule.of_year(fund_day(call.now).year());
            (latest.as_ref().map_or_else(this_year, |facets| facets.view), latest, page?)
        };
        let (actions, next) = cut(page, view, range.asked.limit);
        let filter = range.asked.filter;
        let totals = facets.map(|facets| facets.filtered(filter.scheme, filter.status)).unwrap_or_default();
        Answer::ok(&PageBody {
            as_of: call.now,
            view,
            totals: totals.into(),
            items: actions.into_iter().map(item).collect(),
            next_cursor: next.map(|cursor| cursor.seal(&self.cursor_key, bound(&visit, &range.asked))),
        })
    }

    /// One action more than the page has, to know whether there is another page.
    async fn page(&self, visit: &Visit, range: &Range) -> Result<Page<ListedAction>, StoreError> {
        let filter = range.asked.filter;
        let list = ListedAction::list(&visit.number, range.view(), filter.status, filter.scheme);
        let place = range.after.as_ref().map(|cursor| {
            ListedAction::place(
                &visit.number,
                cursor.view,
                filter.status,
                filter.scheme,
                cursor.engagement_date,
                &cursor.action_id,
            )
        });
        let one_more = i32::try_from(range.asked.limit + 1).unwrap_or(i32::MAX);
        self.store.query(&list.limit(one_more).after(place)).await
    }
}

/// The page's actions of the view, and where the next page begins if there is one.
fn cut(page: Page<ListedAction>, view: View, limit: usize) -> (Vec<ListedAction>, Option<Cursor>) {
    let mut actions = page.items;
    // Older views follow where no view was named.
    let of_view = actions.iter().position(|action| action.home.view != view).unwrap_or(actions.len());
    let more = of_view > limit || (of_view == actions.len() && page.next.is_some());
    actions.truncate(of_view.min(limit));
    let next = actions.last().filter(|_| more).map(|last| Cursor {
        view,
        engagement_date: last.engagement_date,
        action_id: last.action_id.clone(),
    });
    (actions, next)
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

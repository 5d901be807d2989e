//! What all lists have in common: who may, which view, which page, where the next one begins.

use futures::future::{join, join3};
use portal::domain::View;
use portal::http::{Call, Problem};
use portal::security::Visit;
use portal::store::{Facets, Page, Query, Record, StoreError};
use rand::CryptoRng;

use crate::Function;
use crate::cursor::{Bound, Cursor};
use crate::filter::Asked;

/// A list of an account's ledger: what it filters by, and how it is read.
pub(crate) trait List: Copy {
    /// What it lists.
    type Row: Record;

    /// Whether its answer has totals, which are read beside the page.
    const TOTALS: bool;

    /// The view that is named; the latest where none is.
    fn view(self) -> Option<View>;

    /// The list and its filter as text, different for different ones: a cursor is bound to it.
    fn as_text(self) -> String;

    /// The range that holds the rows of a view.
    fn of_view(self, visit: &Visit, view: View) -> Query;

    /// The range that holds the rows of all views, from the latest on; `None` where no range does.
    fn of_all_views(self, visit: &Visit) -> Option<Query>;

    /// The place of the row that a cursor names.
    fn place(self, visit: &Visit, cursor: &Cursor) -> Option<portal::store::Item>;

    /// The view of a row.
    fn view_of(row: &Self::Row) -> View;

    /// The cursor of a row, which names its view.
    fn cursor(row: &Self::Row) -> Cursor;
}

/// A page of a list.
pub(crate) struct Listed<L: List> {
    pub(crate) filter: L,
    pub(crate) view: View,
    /// Of the view; nothing where the list has no totals or the view has none.
    pub(crate) facets: Option<Facets>,
    pub(crate) rows: Vec<L::Row>,
    pub(crate) next_cursor: Option<String>,
}

impl Function {
    /// Reads a page: one wait; where [`List::of_all_views`] has no range, and the account's latest is not this
    /// year's, two.
    pub(crate) async fn list<L: List>(
        &self,
        call: &Call,
        rng: &mut impl CryptoRng,
        read: impl FnOnce(portal::http::Form) -> Result<Asked<L>, Problem>,
    ) -> Result<Listed<L>, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let (asked, after) = match read(call.query()).and_then(|asked| self.after(&visit, asked)) {
            Ok(range) => range,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let view = asked.filter.view().or(after.as_ref().map(|cursor| cursor.view));
        let this_year = self.rule.of_today(call.now);
        let range = match view {
            Some(view) => Some(asked.filter.of_view(&visit, view)),
            None => asked.filter.of_all_views(&visit),
        };
        // Where no range holds all views, this year's is read meanwhile.
        let is_guessed = range.is_none();
        let range = range.unwrap_or_else(|| asked.filter.of_view(&visit, this_year));
        let page = self.page(&visit, &asked, range, after.as_ref());
        let (view, facets, page) = if let Some(view) = view {
            let facets = L::TOTALS.then(|| batch.want::<Facets>(Facets::key_of(&visit.number, view)));
            let (fetched, page) = join(self.store.fetch(batch), page).await;
            let mut fetched = fetched?;
            visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
            let facets = facets.map(|facets| fetched.take(&facets)).transpose()?.flatten();
            (view, facets, page?)
        } else {
            // The latest view is not known, and asking for it first would be a second wait. An index
            // sorts by view, so the first page of all views begins with the page of the latest.
            let facets = Facets::all(&visit.number);
            let facets = self.store.query_all::<Facets>(&facets);
            let (fetched, facets, page) = join3(self.store.fetch(batch), facets, page).await;
            visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?;
            let latest = facets?.into_iter().find(Facets::is_shown);
            let view = latest.as_ref().map_or(this_year, |facets| facets.view);
            let page = if is_guessed && view != this_year {
                self.page(&visit, &asked, asked.filter.of_view(&visit, view), None).await?
            } else {
                page?
            };
            (view, latest, page)
        };
        let (rows, next) = cut::<L>(page, view, asked.limit);
        let next_cursor = next.map(|cursor| cursor.seal(&self.cursor_key, &bound(&visit, asked.filter)));
        Ok(Listed { filter: asked.filter, view, facets, rows, next_cursor })
    }

    /// What is asked for, and from where on.
    fn after<L: List>(&self, visit: &Visit, asked: Asked<L>) -> Result<(Asked<L>, Option<Cursor>), Problem> {
        let open = |text: &String| {
            let cursor = Cursor::open(text, &self.cursor_key, &bound(visit, asked.filter));
            cursor.ok_or(Problem::BadCursor)
        };
        let after = asked.cursor.as_ref().map(open).transpose()?;
        Ok((asked, after))
    }

    /// One row more than the page has, to know whether there is another page.
    async fn page<L: List>(
        &self,
        visit: &Visit,
        asked: &Asked<L>,
        range: Query,
        after: Option<&Cursor>,
    ) -> Result<Page<L::Row>, StoreError> {
        let place = after.and_then(|cursor| asked.filter.place(visit, cursor));
        let one_more = i32::try_from(asked.limit + 1).unwrap_or(i32::MAX);
        self.store.query(&range.limit(one_more).after(place)).await
    }
}

fn bound<L: List>(visit: &Visit, filter: L) -> Bound<'_> {
    Bound { user: visit.ticket.claims.sub, account: &visit.number, filter: filter.as_text() }
}

/// The page's rows of the view, and where the next page begins if there is one.
fn cut<L: List>(page: Page<L::Row>, view: View, limit: usize) -> (Vec<L::Row>, Option<Cursor>) {
    let mut rows = page.items;
    // Older views follow where no view was named.
    let of_view = rows.iter().position(|row| L::view_of(row) != view).unwrap_or(rows.len());
    let more = of_view > limit || (of_view == rows.len() && page.next.is_some());
    rows.truncate(of_view.min(limit));
    let next = rows.last().filter(|_| more).map(L::cursor);
    (rows, next)
}

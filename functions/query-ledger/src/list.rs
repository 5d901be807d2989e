//! What all lists have in common: who may, which views, which page, where the next one begins.

use futures::future::{join, join3};
use jiff::Timestamp;
use portal::domain::View;
use portal::http::{Call, Problem, before_the_first_booking};
use portal::security::Visit;
use portal::store::{Account, Booked, Facets, Fetched, Misposted, MispostedRecords, Page, Query, Record, StoreError};
use rand::CryptoRng;

use crate::Function;
use crate::cursor::{Bound, Cursor};
use crate::filter::Asked;
use crate::state::StateBody;

/// The most pages without a row of an earlier state that are passed over for one answer.
const MOST_EMPTY: usize = 20;

/// Which views a range holds the rows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Views {
    /// This one.
    One(View),
    /// All up to this one, the latest first.
    UpTo(View),
    /// All of them together, the latest day first.
    All,
}

impl Views {
    /// The view that a page is of; nothing where it is of all.
    pub(crate) fn one(self) -> Option<View> {
        match self {
            Self::One(view) => Some(view),
            Self::UpTo(_) | Self::All => None,
        }
    }

    /// The views of a page that is of this one, or of all.
    pub(crate) fn of(view: Option<View>) -> Self {
        view.map_or(Self::All, Self::One)
    }
}

/// A list of an account's ledger: what it filters by, and how it is read.
pub(crate) trait List {
    /// What it lists.
    type Row: Record;

    /// Whether its answer has totals, which are read beside the page.
    const TOTALS: bool;

    /// True where it lists entries, some of which may be withheld.
    const ENTRIES: bool;
    /// True where a row shows what was booked to any view.
    const OF_ALL_VIEWS: bool = false;

    /// True where all pages show the state that the first one showed.
    const STAYS: bool = false;

    /// Tells whether a row is of a state, where it stays as it is; one that changes shows a later state where it did.
    fn is_of(_: &Self::Row, _: Booked) -> bool {
        true
    }

    /// The instant of an earlier state that is asked for.
    fn at(&self) -> Option<Timestamp> {
        None
    }

    /// Tells whether it asks for everything that a view has, from the first page on.
    fn is_all(&self) -> bool {
        false
    }

    /// The views that the filter asks for, where it says so: [`Views::One`] or [`Views::All`]. Otherwise it is the one
    /// that is meant where none is named.
    fn views(&self) -> Option<Views>;

    /// The list and its filter as text, different for different ones: a cursor is bound to it.
    fn as_text(&self) -> String;

    /// The range that holds the rows of these views. Rows of all views together are asked for only where
    /// [`Self::views`] does.
    fn range(&self, visit: &Visit, views: Views) -> Query;

    /// The place of the row that a cursor names.
    fn place(&self, visit: &Visit, cursor: &Cursor) -> Option<portal::store::Item>;

    /// The view of a row.
    fn view_of(row: &Self::Row) -> View;

    /// The cursor of a row, which names its view.
    fn cursor(row: &Self::Row) -> Cursor;
}

/// A page as it was read beside the state of its views.
struct Beside<R> {
    account: Account,
    view: Option<View>,
    facets: Option<Facets>,
    booked: Booked,
    page: Page<R>,
    /// True where the page was read after the state.
    is_behind: bool,
    /// Everything else that was read beside.
    fetched: Fetched,
}

/// A page of a list.
pub(crate) struct Listed<L: List> {
    pub(crate) filter: L,
    /// The view that it is of; nothing where it is of all.
    pub(crate) view: Option<View>,
    /// The state that its rows are of.
    pub(crate) state: StateBody,
    /// Of the view; nothing where the list has no totals or the view has none.
    pub(crate) facets: Option<Facets>,
    pub(crate) rows: Vec<L::Row>,
    /// The records whose texts are withheld from entries among the rows.
    pub(crate) misposted: MispostedRecords,
    pub(crate) next_cursor: Option<String>,
}

impl Function {
    /// Reads a page in one wait; in two where no view is named and a later year than the one that is meant has rows
    /// (one of which all was reversed, or one too far ahead), and where the ledger was posted to a moment ago.
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
        let of_cursor = || after.as_ref().map(|cursor| Views::One(cursor.view));
        let last = self.rule.last_default(call.now);
        let views = asked.filter.views().or_else(of_cursor).unwrap_or(Views::UpTo(last));
        let page = self.page(&visit, &asked, views, after.as_ref());
        let mark = L::ENTRIES.then(|| batch.want::<Misposted>(Misposted::key_of_any(&visit.number)));
        let read = match views {
            Views::One(view) if !L::OF_ALL_VIEWS => {
                let facets = batch.want::<Facets>(Facets::key_of(&visit.number, view));
                let (fetched, page) = join(self.store.fetch(batch), page).await;
                let mut fetched = fetched?;
                let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
                let facets = fetched.take(&facets)?;
                let booked = facets.as_ref().map(|facets| facets.booked).unwrap_or_default();
                Beside { account, view: Some(view), facets, booked, page: page?, is_behind: false, fetched }
            }
            Views::One(_) | Views::All => {
                let facets = Facets::all(&visit.number);
                let facets = self.store.query_all::<Facets>(&facets);
                let (fetched, facets, page) = join3(self.store.fetch(batch), facets, page).await;
                let mut fetched = fetched?;
                let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
                let booked = Booked::of_all(facets?.iter().map(|facets| facets.booked));
                Beside { account, view: views.one(), facets: None, booked, page: page?, is_behind: false, fetched }
            }
            Views::UpTo(_) => {
                // The view that is meant is not known, and asking for it first would be a second wait. An index sorts
                // by view, so the first page of all views begins with the page of the latest.
                let facets = Facets::all(&visit.number);
                let facets = self.store.query_all::<Facets>(&facets);
                let (fetched, facets, page) = join3(self.store.fetch(batch), facets, page).await;
                let mut fetched = fetched?;
                let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
                let (view, facets) = self.meant(facets?, call);
                let booked = facets.as_ref().map(|facets| facets.booked).unwrap_or_default();
                let mut page = page?;
                let is_covered = page.items.iter().any(|row| L::view_of(row) > view);
                let is_behind = is_covered || view > last;
                if is_behind {
                    page = self.page(&visit, &asked, Views::One(view), None).await?;
                }
                Beside { account, view: Some(view), facets, booked, page, is_behind, fetched }
            }
        };
        let Beside { account, view, facets, booked, mut page, is_behind, mut fetched } = read;
        let mark = mark.map(|mark| fetched.take(&mark)).transpose()?.flatten();
        let misposted = self.store.misposted_where(&visit.number, mark).await?;
        let stays = after.as_ref().and_then(|cursor| cursor.state).filter(|_| L::STAYS);
        if !(is_behind || stays.is_some() || booked.was_before(call.now)) {
            page = self.page(&visit, &asked, Views::of(view), after.as_ref()).await?;
        }
        let earlier = asked.filter.at().filter(|at| booked.at.is_some_and(|last| *at < last));
        let booked = stays.unwrap_or_else(|| earlier.map_or(booked, |at| Booked { at: Some(at), ..Booked::default() }));
        let shown = |page| {
            let (mut rows, next) = cut::<L>(page, view, asked.limit);
            rows.retain(|row| L::is_of(row, booked));
            (rows, next)
        };
        let (mut rows, mut next) = shown(page);
        // Of an earlier state there may be nothing for pages.
        for _ in 0..MOST_EMPTY {
            let Some(behind) = next.take_if(|_| earlier.is_some() && rows.is_empty()) else { break };
            (rows, next) = shown(self.page(&visit, &asked, Views::of(view), Some(&behind)).await?);
        }
        if earlier.is_some() && after.is_none() && rows.is_empty() && next.is_none() && asked.filter.is_all() {
            return Err(before_the_first_booking("as_of"));
        }
        let next = next.map(|cursor| Cursor { state: L::STAYS.then_some(booked), ..cursor });
        let next_cursor = next.map(|cursor| cursor.seal(&self.cursor_key, &bound(&visit, &asked.filter)));
        let state = StateBody::new(booked, &account).without_number(earlier.is_some());
        Ok(Listed { filter: asked.filter, view, state, facets, rows, misposted, next_cursor })
    }

    /// The view that is meant where none is named, with its facets.
    pub(crate) fn meant(&self, mut all: Vec<Facets>, call: &Call) -> (View, Option<Facets>) {
        let shown = all.iter().filter(|facets| facets.is_shown()).map(|facets| facets.view);
        let view = self.rule.default_of(shown, call.now);
        let place = all.iter().position(|facets| facets.view == view);
        (view, place.map(|place| all.swap_remove(place)))
    }

    /// What is asked for, and from where on.
    pub(crate) fn after<L: List>(&self, visit: &Visit, asked: Asked<L>) -> Result<(Asked<L>, Option<Cursor>), Problem> {
        let open = |text: &String| {
            let cursor = Cursor::open(text, &self.cursor_key, &bound(visit, &asked.filter));
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
        views: Views,
        after: Option<&Cursor>,
    ) -> Result<Page<L::Row>, StoreError> {
        let place = after.and_then(|cursor| asked.filter.place(visit, cursor));
        let one_more = i32::try_from(asked.limit + 1).unwrap_or(i32::MAX);
        self.store.query(&asked.filter.range(visit, views).limit(one_more).after(place)).await
    }
}

/// What a cursor of a list is good for.
pub(crate) fn bound<'a, L: List>(visit: &'a Visit, filter: &L) -> Bound<'a> {
    Bound { user: visit.session.user_id, account: &visit.number, filter: filter.as_text() }
}

/// The page's rows of the view, or of all, and where the next page begins if there is one.
fn cut<L: List>(page: Page<L::Row>, view: Option<View>, limit: usize) -> (Vec<L::Row>, Option<Cursor>) {
    let mut rows = page.items;
    // Older views follow where no view was named.
    let is_older = |row: &L::Row| view.is_some_and(|view| L::view_of(row) != view);
    let of_view = rows.iter().position(is_older).unwrap_or(rows.len());
    let more = of_view > limit || (of_view == rows.len() && page.next.is_some());
    rows.truncate(of_view.min(limit));
    let next = rows.last().filter(|_| more).map(L::cursor);
    (rows, next)
}

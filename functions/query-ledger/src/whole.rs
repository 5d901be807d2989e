//! Lists that are searched, or sorted otherwise than they are stored: read whole, up to a limit, and cut into pages.

use futures::future::{join, join3};
use ledger_lists::{Sort, SortKey};
use portal::domain::{Refusal, View};
use portal::http::{Call, Problem};
use portal::security::Visit;
use portal::store::{Batch, Booked, Facets, MispostedRecords, Query, Totals};
use rand::CryptoRng;

use crate::Function;
use crate::filter::Asked;
use crate::list::{List, Listed, Views, bound};
use crate::sort::SortedPlace;
use crate::state::StateBody;

/// How many rows of what the other filters let through are read at most: some 500 KB, half of what one answer of
/// DynamoDB carries.
const MOST_ROWS: usize = 2_000;

/// A list that can be searched and sorted.
pub(crate) trait Searched: List {
    /// The parameter that has it read whole; `None` where it need not be.
    fn reads_whole(&self) -> Option<&'static str>;

    /// Whether a row is among those that are searched for.
    fn finds(&self, row: &Self::Row) -> bool;

    /// The order of the rows.
    fn sort(&self) -> Sort;

    /// What a row is sorted by, and its id.
    fn key(&self, row: &Self::Row) -> (SortKey, String);

    /// Whether rows, all that the filter lets through but for what is searched, come to what the facets of their view
    /// say. A list without totals always does.
    fn adds_up(&self, rows: &[Self::Row], facets: Option<&Facets>) -> bool;

    /// What the rows that were found come to, all pages of them. Nothing for a list without totals.
    fn facets_of(rows: &[Self::Row]) -> Option<Facets>;
}

impl Function {
    /// Reads a page of a list that may be searched or sorted.
    pub(crate) async fn searched_list<L: Searched>(
        &self,
        call: &Call,
        rng: &mut impl CryptoRng,
        read: impl FnOnce(portal::http::Form) -> Result<Asked<L>, Problem>,
    ) -> Result<Listed<L>, Problem> {
        let asked = match read(call.query()) {
            Ok(asked) => asked,
            Err(problem) => return self.list(call, rng, |_| Err(problem)).await,
        };
        match asked.filter.reads_whole() {
            Some(why) => self.whole(call, rng, asked, why).await,
            None => self.list(call, rng, |_| Ok(asked)).await,
        }
    }

    async fn whole<L: Searched>(
        &self,
        call: &Call,
        rng: &mut impl CryptoRng,
        asked: Asked<L>,
        why: &'static str,
    ) -> Result<Listed<L>, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let after = asked.cursor.as_ref().map(|text| {
            let place = SortedPlace::open(text, &self.cursor_key, &bound(&visit, &asked.filter));
            place.ok_or(Problem::BadCursor)
        });
        let after = match after.transpose() {
            Ok(after) => after,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let of_cursor = || after.as_ref().and_then(|place| place.view).map(Views::One);
        let last = self.rule.last_default(call.now);
        let views = asked.filter.views().or_else(of_cursor).unwrap_or(Views::UpTo(last));
        let range = most(asked.filter.range(&visit, views));
        let first = self.store.query::<L::Row>(&range);
        // All that is read first is read side by side.
        let (account, view, mut facets, booked, rows) = match views {
            Views::UpTo(_) => {
                let all = Facets::all(&visit.number);
                let all = self.store.query_all::<Facets>(&all);
                let (fetched, all, first) = join3(self.store.fetch(batch), all, first).await;
                let account = visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?.account;
                let (view, facets) = self.meant(all?, call);
                let first = first?;
                let mut rows = first.items;
                let is_whole = first.next.is_none() || rows.last().is_some_and(|row| L::view_of(row) < view);
                rows.retain(|row| L::view_of(row) == view);
                let rows = if is_whole && view <= last {
                    Some(rows).filter(|rows| rows.len() <= MOST_ROWS)
                } else {
                    self.rows(&visit, &asked.filter, Views::One(view)).await?
                };
                (account, Some(view), facets, Booked::default(), rows)
            }
            Views::One(_) | Views::All if L::OF_ALL_VIEWS => {
                let view = views.one();
                let all = Facets::all(&visit.number);
                let all = self.store.query_all::<Facets>(&all);
                let (fetched, all, first) = join3(self.store.fetch(batch), all, first).await;
                let account = visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?.account;
                let booked = Booked::of_all(all?.iter().map(|facets| facets.booked));
                let rows = if booked.was_before(call.now) {
                    self.store.query_rest(range, first?, MOST_ROWS).await?
                } else {
                    self.rows(&visit, &asked.filter, views).await?
                };
                (account, view, None, booked, rows)
            }
            Views::One(_) | Views::All => {
                let view = views.one();
                let wanted = view.filter(|_| L::TOTALS).map(|view| batch.want(Facets::key_of(&visit.number, view)));
                let (fetched, first) = join(self.store.fetch(batch), first).await;
                let mut fetched = fetched?;
                let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
                let facets = wanted.map(|wanted| fetched.take::<Facets>(&wanted)).transpose()?.flatten();
                let rows = self.store.query_rest(range, first?, MOST_ROWS).await?;
                (account, view, facets, Booked::default(), rows)
            }
        };
        let mut rows = rows.ok_or_else(|| too_many(why))?;
        for _ in 1..Totals::MOST_READS {
            if asked.filter.adds_up(&rows, facets.as_ref()) {
                break;
            }
            let rows_again = self.rows(&visit, &asked.filter, Views::of(view));
            let (again, read) = join(self.facets(&visit, view), rows_again).await;
            (facets, rows) = (again?, read?.ok_or_else(|| too_many(why))?);
        }
        if !asked.filter.adds_up(&rows, facets.as_ref()) {
            return Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() });
        }
        // Rows that add up to facets are of the state of these.
        let booked = facets.as_ref().map_or(booked, |facets| facets.booked);
        Ok(self.cut_sorted(&visit, asked, (view, StateBody::new(booked, &account)), rows, after))
    }

    /// All rows of these views; `None` where there are too many.
    async fn rows<L: Searched>(&self, visit: &Visit, filter: &L, views: Views) -> Result<Option<Vec<L::Row>>, Problem> {
        let range = most(filter.range(visit, views));
        let first = self.store.query(&range).await?;
        Ok(self.store.query_rest(range, first, MOST_ROWS).await?)
    }

    async fn facets(&self, visit: &Visit, view: Option<View>) -> Result<Option<Facets>, Problem> {
        let Some(view) = view else { return Ok(None) };
        let mut batch = Batch::new();
        let wanted = batch.want::<Facets>(Facets::key_of(&visit.number, view));
        Ok(self.store.fetch(batch).await?.take(&wanted)?)
    }

    fn cut_sorted<L: Searched>(
        &self,
        visit: &Visit,
        asked: Asked<L>,
        (view, state): (Option<View>, StateBody),
        mut rows: Vec<L::Row>,
        after: Option<SortedPlace>,
    ) -> Listed<L> {
        let filter = asked.filter;
        let sort = filter.sort();
        rows.retain(|row| filter.finds(row));
        let facets = L::facets_of(&rows);
        let mut found: Vec<_> = rows.into_iter().map(|row| (filter.key(&row), row)).collect();
        found.sort_by(|((one, id), _), ((other, other_id), _)| sort.compare((one, id), (other, other_id)));
        if let Some(place) = &after {
            found.retain(|((key, id), _)| sort.compare((key, id), (&place.key, &place.id)).is_gt());
        }
        let more = found.len() > asked.limit;
        found.truncate(asked.limit);
        let next_cursor = found.last().filter(|_| more).map(|((key, id), _)| {
            let place = SortedPlace { view, id: id.clone(), key: key.clone() };
            place.seal(&self.cursor_key, &bound(visit, &filter))
        });
        let rows = found.into_iter().map(|(_, row)| row).collect();
        // What is searched has no entries.
        Listed { view, state, facets, rows, misposted: MispostedRecords::of([]), next_cursor, filter }
    }
}

/// One more than may be, which is enough to know that there are too many.
fn most(range: Query) -> Query {
    range.limit(i32::try_from(MOST_ROWS + 1).unwrap_or(i32::MAX))
}

fn too_many(parameter: &str) -> Problem {
    let refusal = Refusal::new(
        "too-many-rows",
        format!(
            "Plus de {MOST_ROWS} lignes sont à parcourir : précisez davantage (exercice, statut, dispositif ou dates)."
        ),
        format!(
            "There are more than {MOST_ROWS} rows to go through: narrow the filter (view, status, scheme or days)."
        ),
    );
    Problem::field(parameter, refusal)
}

//! Rows that change, actions and transfers, as a file has them: all of one state.

use portal::domain::{MemberNumber, View};
use portal::store::{Facets, ListedAction, ListedRemittance, Query, Record, Store, StoreError, Totals};

use crate::filter::{ActionFilter, RemittanceFilter};
use crate::sort::SortKey;

/// A list whose rows change.
pub trait RowFilter {
    /// What it lists.
    type Row: Record;

    /// The range that holds the rows of the view that is named, or of all, latest first.
    fn range(&self, number: &MemberNumber) -> Query;

    /// Whether a row of the range is among those that are searched for.
    fn finds(&self, row: &Self::Row) -> bool;

    /// Puts rows into the order that is asked for; they come in that of the range.
    fn put_in_order(&self, rows: &mut Vec<Self::Row>);

    /// Whether all rows of the range, found or not, come to what the facets of the account say. Where they are no part of
    /// these, they always do.
    fn adds_up(&self, rows: &[Self::Row], facets: &[Facets]) -> bool;

    /// What is found of the rows of the range, in its order.
    fn found(&self, mut rows: Vec<Self::Row>) -> Vec<Self::Row> {
        rows.retain(|row| self.finds(row));
        self.put_in_order(&mut rows);
        rows
    }
}

/// What became of reading rows of one state.
#[derive(Debug)]
pub enum Read<R> {
    /// What is found, in its order.
    Found(Vec<R>),
    /// There are more than were to be read.
    TooMany,
    /// The ledger was posted to while they were read, each time; or they do not add up.
    Unsettled,
}

/// Reads all rows of a filter whose view is named, of one state: between two looks at the facets, with which each
/// posting is counted, nothing was posted.
///
/// # Errors
/// Where the store fails.
pub async fn read_rows<F: RowFilter>(
    store: &Store,
    number: &MemberNumber,
    filter: &F,
    most: usize,
) -> Result<Read<F::Row>, StoreError> {
    let all = Facets::all(number);
    let mut before = store.query_all::<Facets>(&all).await?;
    for _ in 0..Totals::MOST_READS {
        let range = filter.range(number);
        let first = store.query(&range).await?;
        let Some(rows) = store.query_rest(range, first, most).await? else { return Ok(Read::TooMany) };
        let after = store.query_all::<Facets>(&all).await?;
        if before == after && filter.adds_up(&rows, &after) {
            return Ok(Read::Found(filter.found(rows)));
        }
        before = after;
    }
    Ok(Read::Unsettled)
}

impl ActionFilter {
    /// What an action is sorted by, and its id.
    #[must_use]
    pub fn key(&self, action: &ListedAction) -> (SortKey, String) {
        (self.sort.key_of(action), action.action_id.to_string())
    }

    /// What actions of a view come to.
    #[must_use]
    pub fn facets_of(actions: &[ListedAction]) -> Option<Facets> {
        let first = actions.first()?;
        let mut facets = Facets::empty(first.member_number.clone(), first.home.view);
        for action in actions {
            facets.add(action.home.scheme, action.status, 1, action.measures());
        }
        Some(facets)
    }

    /// Whether actions of a view, all that the filter lets through but for what is searched, come to what the facets of
    /// the view say.
    #[must_use]
    pub fn come_to(&self, actions: &[ListedAction], facets: Option<&Facets>) -> bool {
        let totals = |facets: Option<&Facets>| facets.map(|facets| facets.filtered(self.scheme, self.status));
        totals(Self::facets_of(actions).as_ref()).unwrap_or_default() == totals(facets).unwrap_or_default()
    }
}

impl RowFilter for ActionFilter {
    type Row = ListedAction;

    fn range(&self, number: &MemberNumber) -> Query {
        match self.view {
            Some(view) => ListedAction::list(number, view, self.status, self.scheme),
            None => ListedAction::list_from_latest(number, View::LAST, self.status, self.scheme),
        }
    }

    fn finds(&self, row: &ListedAction) -> bool {
        self.search.as_ref().is_none_or(|search| search.finds(row))
    }

    fn put_in_order(&self, rows: &mut Vec<ListedAction>) {
        let mut keyed: Vec<_> = rows.drain(..).map(|row| (self.key(&row), row)).collect();
        keyed.sort_by(|((one, id), _), ((other, other_id), _)| self.sort.compare((one, id), (other, other_id)));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }

    fn adds_up(&self, rows: &[ListedAction], facets: &[Facets]) -> bool {
        let of_view = |view| facets.iter().find(|facets| facets.view == view);
        self.view.is_none_or(|view| self.come_to(rows, of_view(view)))
    }
}

impl RowFilter for RemittanceFilter {
    type Row = ListedRemittance;

    fn range(&self, number: &MemberNumber) -> Query {
        ListedRemittance::list(number, self.view, self.period.from, self.period.to)
    }

    fn finds(&self, row: &ListedRemittance) -> bool {
        self.search.as_ref().is_none_or(|search| search.finds(row))
    }

    fn put_in_order(&self, _: &mut Vec<ListedRemittance>) {
        // They come latest day first, the only order that their list has.
    }

    fn adds_up(&self, _: &[ListedRemittance], _: &[Facets]) -> bool {
        true
    }
}

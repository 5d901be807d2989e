//! The rows of a file that is answered at once: all of one state of the ledger, or none.
//!
//! The first page is read beside who is calling; further ones, one after the other, once it is known that the caller may
//! have them. What was posted between two pages would leave half of itself in the file. So entries are those that the
//! totals have numbered, and other rows are read between two looks at the facets that find nothing posted; where that is
//! not so, all is read anew.

use futures::future::{OptionFuture, join, try_join_all};
use jiff::Timestamp;
use ledger_lists::{EntryRows, Listing, Read, RowFilter, Sums, read_rows};
use portal::domain::MemberNumber;
use portal::http::{Problem, before_the_first_booking};
use portal::store::{Booked, Entry, Facets, ListedAction, ListedRemittance, Page, Query, StoreError, Totals};

use crate::Function;

/// What was read beside who is calling.
pub(crate) enum Begun {
    /// What says which view is meant.
    Facets(Vec<Facets>),
    /// The totals, and the first page of entries where their range is known without these.
    Entries(BegunEntries),
    /// The first page of actions.
    Actions(Page<ListedAction>),
    /// The first page of transfers.
    Remittances(Page<ListedRemittance>),
}

type BegunEntries = (Vec<Totals>, Option<Page<Entry>>);

impl Begun {
    pub(crate) fn entries(self) -> Option<BegunEntries> {
        if let Self::Entries(begun) = self { Some(begun) } else { None }
    }

    pub(crate) fn actions(self) -> Option<Page<ListedAction>> {
        if let Self::Actions(first) = self { Some(first) } else { None }
    }

    pub(crate) fn remittances(self) -> Option<Page<ListedRemittance>> {
        if let Self::Remittances(first) = self { Some(first) } else { None }
    }
}

impl Function {
    /// Reads what can be read while it is not known yet who is calling.
    pub(crate) async fn begin(&self, number: &MemberNumber, listing: &Listing) -> Result<Begun, StoreError> {
        if listing.is_of_meant_view() {
            return Ok(Begun::Facets(self.store.query_all::<Facets>(&Facets::all(number)).await?));
        }
        Ok(match listing {
            Listing::Actions(filter) => Begun::Actions(self.store.query(&filter.range(number)).await?),
            Listing::Remittances(filter) => Begun::Remittances(self.store.query(&filter.range(number)).await?),
            Listing::Ledger(_) | Listing::Contributions(_) => {
                let range = EntryRows::of(listing).and_then(|rows| rows.range(number));
                let first = OptionFuture::from(range.as_ref().map(|range| self.store.query::<Entry>(range)));
                let (totals, first) = join(Totals::of(&self.store, number, listing.view()), first).await;
                Begun::Entries((totals?, first.transpose()?))
            }
        })
    }

    /// All entries of a file.
    pub(crate) async fn entries(
        &self,
        number: &MemberNumber,
        rows: EntryRows,
        mut begun: Option<BegunEntries>,
        now: Timestamp,
    ) -> Result<Vec<Entry>, Problem> {
        for _ in 0..Totals::MOST_READS {
            let (totals, first) = match begun.take() {
                Some(begun) => begun,
                None => (Totals::of(&self.store, number, rows.view()).await?, None),
            };
            let booked = Booked::of_all(totals.iter().map(Totals::booked));
            // What was read beside totals may be of before them.
            let is_behind = first.is_none() || rows.are_told_by_sums() || booked.was_before(now);
            let entries = self.whole(rows.ranges(number, &totals), first).await?;
            let mut entries = entries.ok_or(Problem::ExportTooLarge)?;
            entries.retain(|entry| EntryRows::is_of(entry, &totals));
            let mut sums = Sums::default();
            entries.iter().for_each(|entry| sums.add(entry));
            if is_behind && rows.add_up(entries.len() as u64, &sums, &totals) {
                entries.retain(|entry| rows.shows(entry));
                return if rows.are_of_before(&entries, booked) {
                    Err(before_the_first_booking("as_of"))
                } else {
                    Ok(entries)
                };
            }
        }
        Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() })
    }

    /// All entries of some ranges, or of one whose first page is there; `None` where there are too many.
    async fn whole(&self, ranges: Vec<Query>, first: Option<Page<Entry>>) -> Result<Option<Vec<Entry>>, StoreError> {
        let firsts = match first {
            Some(first) => vec![first],
            None => try_join_all(ranges.iter().map(|range| self.store.query(range))).await?,
        };
        let mut entries = Vec::new();
        for (range, first) in ranges.into_iter().zip(firsts) {
            let left = self.most_rows.saturating_sub(entries.len());
            let Some(rows) = self.store.query_rest(range, first, left).await? else { return Ok(None) };
            entries.extend(rows);
        }
        Ok(Some(entries))
    }

    /// All rows of a file of a list whose rows change.
    pub(crate) async fn rows<F: RowFilter>(
        &self,
        number: &MemberNumber,
        filter: &F,
        first: Option<Page<F::Row>>,
        now: Timestamp,
    ) -> Result<Vec<F::Row>, Problem> {
        if let Some(first) = first {
            let rows = self.store.query_rest(filter.range(number), first, self.most_rows).await?;
            let rows = rows.ok_or(Problem::ExportTooLarge)?;
            let facets = self.store.query_all::<Facets>(&Facets::all(number)).await?;
            // Nothing was posted since the call began.
            let booked = Booked::of_all(facets.iter().map(|facets| facets.booked));
            if booked.was_before(now) && filter.adds_up(&rows, &facets) {
                return Ok(filter.found(rows));
            }
        }
        match read_rows(&self.store, number, filter, self.most_rows).await? {
            Read::Found(rows) => Ok(rows),
            Read::TooMany => Err(Problem::ExportTooLarge),
            Read::Unsettled => Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() }),
        }
    }
}

//! Entries as a file has them: which ranges hold them, in which order, and what makes them of one state.

use portal::domain::{MemberNumber, View};
use portal::store::{Booked, Entry, Query, Totals};

use crate::filter::EntryFilter;
use crate::listing::Listing;
use crate::sums::Sums;

/// The entries of a file, by year and day.
///
/// Entries of a view are numbered without gaps as they are booked, and its totals say how many there are. So what has a
/// number up to that of totals which were read before is of their state, whatever was posted meanwhile; and where a file
/// has all that its views have, the rows add up to the totals.
#[derive(Debug, Clone, Copy)]
pub enum EntryRows {
    /// Of a list of entries.
    Entries(EntryFilter),
    /// The contributions of a view.
    Contributions(View),
}

impl EntryRows {
    /// The entries of a listing; nothing where it is not of entries, or of contributions and names no view.
    #[must_use]
    pub fn of(listing: &Listing) -> Option<Self> {
        match listing {
            Listing::Ledger(filter) => Some(Self::Entries(*filter)),
            Listing::Contributions(filter) => filter.view.map(Self::Contributions),
            Listing::Actions(_) | Listing::Remittances(_) => None,
        }
    }

    /// The view that they are of, where it is one.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        match self {
            Self::Entries(filter) => filter.view,
            Self::Contributions(view) => Some(*view),
        }
    }

    /// The ranges that hold them, one after the other, where `totals` are those of the views that it is of. Entries of all
    /// views on some days are a range of each view; all others are one, which needs no totals to be known.
    #[must_use]
    pub fn ranges(&self, number: &MemberNumber, totals: &[Totals]) -> Vec<Query> {
        match (self.range(number), self) {
            (None, Self::Entries(filter)) => {
                let of_view = |view| Self::Entries(EntryFilter { view: Some(view), ..*filter });
                totals.iter().filter_map(|totals| of_view(totals.view).range(number)).collect()
            }
            (range, _) => range.into_iter().collect(),
        }
    }

    /// The one range that holds them, where it is one.
    #[must_use]
    pub fn range(&self, number: &MemberNumber) -> Option<Query> {
        match *self {
            Self::Contributions(view) => Some(Entry::contributions_in_order(number, view)),
            Self::Entries(EntryFilter { view, kind, period, .. }) if !period.is_given() => {
                Some(Entry::in_order_of(number, view, kind))
            }
            Self::Entries(EntryFilter { view, kind, period, .. }) => {
                Some(Entry::days_in_order(number, view?, kind, period.from, period.to))
            }
        }
    }

    /// Whether an entry is of the state of these totals: what was posted since is of a later one.
    #[must_use]
    pub fn is_of(entry: &Entry, totals: &[Totals]) -> bool {
        totals.iter().any(|totals| totals.view == entry.view && entry.posting <= totals.chain.postings)
    }

    /// Whether the file shows an entry: all that were booked by the instant that is asked for.
    #[must_use]
    pub fn shows(&self, entry: &Entry) -> bool {
        match self {
            Self::Entries(filter) => filter.at.is_none_or(|at| entry.booked_at <= at),
            Self::Contributions(_) => true,
        }
    }

    /// Whether rows of the state of these totals, shown or not, come to what these say. Of a part of what its views have
    /// nothing is known.
    #[must_use]
    pub fn add_up(&self, rows: u64, sums: &Sums, totals: &[Totals]) -> bool {
        match self {
            Self::Entries(filter) if filter.is_of_all() => {
                let postings = totals.iter().map(|totals| totals.chain.postings).sum::<u64>();
                rows == postings && *sums == Sums::of(totals)
            }
            Self::Entries(_) => true,
            Self::Contributions(_) => *sums == Sums::of_contributions(totals),
        }
    }

    /// Whether rows that were read beside totals, and not behind them, are known by their sum to be of the same state.
    #[must_use]
    pub fn are_told_by_sums(&self) -> bool {
        matches!(self, Self::Entries(filter) if filter.is_of_all())
    }

    /// Whether an instant is asked for by which nothing had been booked of all that there is: what is shown, and the state
    /// that it is of, tell.
    #[must_use]
    pub fn are_of_before(&self, shown: &[Entry], booked: Booked) -> bool {
        match self {
            Self::Entries(filter) => {
                let is_earlier = filter.at.is_some_and(|at| booked.at.is_some_and(|last| at < last));
                is_earlier && filter.is_of_all() && shown.is_empty()
            }
            Self::Contributions(_) => false,
        }
    }
}

//! The totals of an account in brief, for lists of accounts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measures::Row;
use super::{Booked, Measures, Totals, account_of, partition};
use crate::domain::{Cents, MemberNumber, Paid, View};
use crate::store::{Key, Query, Record, Table};

/// The sort key; those of the views' own totals begin with it.
const SORT_KEY: &str = "TOTALS";

/// The figures of all views of an account in one small item, so that a list of accounts reads one for each.
///
/// It is not written with what it is of, but when the last transaction of a run on the account is committed
/// (`docs/decisions/0167-figures-in-the-list-of-accounts.md`). So it may be of an earlier state, which it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct AccountTotals {
    /// Whose they are.
    pub member_number: MemberNumber,
    /// The figures of each view that is shown.
    pub views: BTreeMap<View, ViewTotals>,
    /// What was booked to the account: the state that these are of.
    pub booked: Booked,
    /// Counted up with each write.
    pub version: u64,
}

/// The figures of a view, as its [`Totals`] have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewTotals {
    /// What its actions show, added up.
    pub of_actions: Measures,
    /// What is contributed.
    pub contributed: Cents,
}

impl std::iter::Sum for ViewTotals {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, view| Self {
            of_actions: sum.of_actions + view.of_actions,
            contributed: sum.contributed + view.contributed,
        })
    }
}

impl AccountTotals {
    /// Those of an account with these totals, as they are written for the first time.
    #[must_use]
    pub fn of(member_number: MemberNumber, totals: &[Totals]) -> Self {
        let shown = totals.iter().filter(|totals| totals.is_shown());
        let figures = |totals: &Totals| ViewTotals { of_actions: totals.sums, contributed: totals.contributed };
        Self {
            member_number,
            views: shown.map(|totals| (totals.view, figures(totals))).collect(),
            booked: Booked::of_all(totals.iter().map(Totals::booked)),
            version: 0,
        }
    }

    /// Returns the figures of a view, or of all views; nothing where there is nothing.
    #[must_use]
    pub fn figures(&self, view: Option<View>) -> ViewTotals {
        let views = self.views.iter().filter(|(of, _)| view.is_none_or(|view| view == **of));
        views.map(|(_, figures)| *figures).sum()
    }

    /// Where they are stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Ledger, partition(number), SORT_KEY)
    }

    /// They, where they are there, and then the totals of every view.
    #[must_use]
    pub fn with_totals(number: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(SORT_KEY)
    }
}

impl Record for AccountTotals {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

/// The item: a row for each view, so that thirteen views fit into a unit of capacity (1 KB).
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    /// Committed, paid to the company, paid to providers, in progress, contributed, remaining, overpaid, recovered.
    views: BTreeMap<String, Row<8>>,
    #[serde(flatten)]
    booked: Booked,
    version: u64,
}

impl TryFrom<Stored> for AccountTotals {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        if stored.sk != SORT_KEY {
            return Err("not the sort key of an account's totals".to_owned());
        }
        let view = |(view, row): (String, Row<8>)| {
            let Row([committed, to_company, to_providers, in_progress, contributed, remaining, overpaid, recovered]) =
                row;
            let paid = Paid { to_company, to_providers };
            let of_actions = Measures { committed, paid, in_progress, remaining, overpaid, recovered };
            Ok::<_, String>((View::parse(&view).ok_or("totals of no view")?, ViewTotals { of_actions, contributed }))
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            views: stored.views.into_iter().map(view).collect::<Result<_, _>>()?,
            booked: stored.booked,
            version: stored.version,
        })
    }
}

impl From<AccountTotals> for Stored {
    fn from(totals: AccountTotals) -> Self {
        let Key { pk, sk, .. } = totals.key();
        let view = |(view, ViewTotals { of_actions, contributed }): (View, ViewTotals)| {
            let Measures { committed, paid, in_progress, remaining, overpaid, recovered } = of_actions;
            let Paid { to_company, to_providers } = paid;
            let row = [committed, to_company, to_providers, in_progress, contributed, remaining, overpaid, recovered];
            (view.to_string(), Row(row))
        };
        let AccountTotals { views, booked, version, .. } = totals;
        Self { pk, sk, views: views.into_iter().map(view).collect(), booked, version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scheme;
    use crate::store::{from_item, to_item};

    fn number() -> MemberNumber {
        MemberNumber::parse("012345").unwrap()
    }

    fn totals(year: &str, committed: i64, contributed: i64) -> Totals {
        let mut totals = Totals::empty(number(), View::parse(year).unwrap());
        let paid = Paid { to_company: Cents(2), to_providers: Cents(3) };
        let (in_progress, remaining, overpaid, recovered) = (Cents(4), Cents(5), Cents(6), Cents(7));
        let by = Measures { committed: Cents(committed), paid, in_progress, remaining, overpaid, recovered };
        totals.add(Scheme::Plan, by);
        totals.contributed = Cents(contributed);
        totals.actions = 1;
        totals.chain.postings = 3;
        totals.versions = 1;
        totals.booked_at = Some(format!("{year}-06-01T02:00:00Z").parse().unwrap());
        totals
    }

    #[test]
    fn they_are_the_figures_of_each_view_that_is_shown_and_of_the_state_of_all() {
        let mut emptied = totals("2013", 0, 0);
        (emptied.sums, emptied.actions) = (Measures::default(), 0);
        let all = [totals("2011", 100, 10), totals("2012", 200, 20), emptied];
        let brief = AccountTotals::of(number(), &all);
        assert_eq!(brief.views.keys().map(|view| view.year()).collect::<Vec<_>>(), [2011, 2012]);
        assert_eq!(brief.booked, Booked::of_all(all.iter().map(Totals::booked)));
        let both = brief.figures(None);
        assert_eq!((both.of_actions.committed, both.contributed), (Cents(300), Cents(30)));
        assert_eq!(both.of_actions, all[0].sums + all[1].sums);
        let one = brief.figures(View::parse("2012"));
        assert_eq!((one.of_actions, one.contributed), (all[1].sums, Cents(20)));
        assert_eq!(brief.figures(View::parse("2013")), ViewTotals::default());
    }

    #[test]
    fn they_come_back_as_they_were_stored() {
        let brief = AccountTotals::of(number(), &[totals("2011", 100, 10), totals("2012", -200, 0)]);
        assert_eq!(from_item::<AccountTotals>(to_item(&brief).unwrap()).unwrap(), brief);
        let empty = AccountTotals::of(number(), &[]);
        assert_eq!(from_item::<AccountTotals>(to_item(&empty).unwrap()).unwrap(), empty);
    }
}

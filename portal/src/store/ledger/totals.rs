//! The totals of a view.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::measures::Row;
use super::{Booked, Chain, Fingerprint, Measures, Month, account_of, partition, pieces};
use crate::domain::{Cents, Effect, MemberNumber, Paid, Scheme, View};
use crate::store::{Key, Query, Record, Store, StoreError, Table};

/// The most bytes that a month takes of its item: its name, and four numbers of 19 digits.
const MONTH_BYTES: usize = 70;

/// The most bytes that another view takes of its item.
const SHARED_BYTES: usize = 20;

/// What an account has in a view: three measures that are never mixed into one balance.
///
/// Its sums are those over the actions of what each shows. Months carry what was booked, and not how things stand:
/// nothing that is in progress, remains or is overpaid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Totals {
    /// Whose they are.
    pub member_number: MemberNumber,
    /// The view.
    pub view: View,
    /// How many actions there are.
    pub actions: u32,
    /// How many unreversed entries of actions there are.
    pub entries: u32,
    /// How many unreversed contributions there are.
    pub contributions: u32,
    /// What its actions show, added up.
    pub sums: Measures,
    /// What is contributed.
    pub contributed: Cents,
    /// The sums by scheme; none that is all zero.
    pub schemes: BTreeMap<Scheme, Measures>,
    /// By month of the effective date; none that is all zero.
    pub months: BTreeMap<Month, MonthSums>,
    /// How many transactions changed these totals together with those of another view, by view. The other has the same
    /// number for this one, so that whoever read half of such a transaction sees it: [`Self::are_of_one_state`].
    pub shared: BTreeMap<View, u64>,
    /// The entries that were posted here, reversed ones and reversals among them.
    pub chain: Chain,
    /// The count of versions of actions that were booked to the view, as [`Booked::versions`].
    pub versions: u64,
    /// The instant of the last transaction that was booked to the view, as [`Booked::at`].
    pub booked_at: Option<Timestamp>,
    /// Counted up with each write.
    pub version: u64,
}

/// The totals of a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthSums {
    /// What is committed.
    pub committed: Cents,
    /// What is paid.
    pub paid: Paid,
    /// What is contributed.
    pub contributed: Cents,
}

impl Totals {
    /// How often what is read beside totals is read anew, because the ledger was posted to in between.
    pub const MOST_READS: usize = 5;

    /// What the log says where it was not once of one state with the totals.
    pub const OVERTAKEN: &str = "the ledger was posted to all the time, or its totals drift";

    /// Totals of nothing.
    #[must_use]
    pub fn empty(member_number: MemberNumber, view: View) -> Self {
        Self {
            member_number,
            view,
            actions: 0,
            entries: 0,
            contributions: 0,
            sums: Measures::default(),
            contributed: Cents::ZERO,
            schemes: BTreeMap::new(),
            months: BTreeMap::new(),
            shared: BTreeMap::new(),
            chain: Chain::default(),
            versions: 0,
            booked_at: None,
            version: 0,
        }
    }

    /// Whether all totals of an account, as they were read, are of one state of the ledger. A transaction that moves
    /// something from one view to another changes two items, and a `Query` may meet one as it was before and the other
    /// as it was after: it is read-committed, as DynamoDB's guide says.
    #[must_use]
    pub fn are_of_one_state(all: &[Self]) -> bool {
        let shared = |of: View, with: View| {
            let totals = all.iter().find(|totals| totals.view == of);
            totals.and_then(|totals| totals.shared.get(&with)).copied().unwrap_or_default()
        };
        let other = |totals: &Self, with: View| shared(totals.view, with) == shared(with, totals.view);
        all.iter().all(|totals| totals.shared.keys().all(|with| other(totals, *with)))
    }

    /// Counts a transaction that changes these totals and those of the other `views`.
    pub fn share_with(&mut self, views: &BTreeSet<View>) {
        for view in views.iter().filter(|view| **view != self.view) {
            let count = self.shared.entry(*view).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Where they are stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber, view: View) -> Key {
        Key::new(Table::Ledger, partition(number), format!("TOTALS#{view}"))
    }

    /// Those of every view, oldest first.
    #[must_use]
    pub fn all(number: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning("TOTALS#")
    }

    /// Those of a view, or of every view, oldest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &Store, number: &MemberNumber, view: Option<View>) -> Result<Vec<Self>, StoreError> {
        let mut totals = store.query_all::<Self>(&Self::all(number)).await?;
        totals.retain(|totals| view.is_none_or(|view| view == totals.view));
        Ok(totals)
    }

    /// The bytes that its item has at most, without what has a constant size.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.months.len() * MONTH_BYTES + self.shared.len() * SHARED_BYTES
    }

    /// The state of the view that these are of.
    #[must_use]
    pub fn booked(&self) -> Booked {
        Booked { postings: self.chain.postings, versions: self.versions, at: self.booked_at }
    }

    /// Whether anything counts here: a view that everything was moved out of is not shown.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.actions > 0 || self.entries > 0 || self.contributions > 0
    }

    /// Counts what moved of the figures of actions of a scheme: all together, and under the scheme.
    pub fn add(&mut self, scheme: Scheme, by: Measures) {
        self.sums += by;
        let sums = self.schemes.entry(scheme).or_default();
        *sums += by;
        if *sums == Measures::default() {
            self.schemes.remove(&scheme);
        }
    }

    /// Counts what an entry moved in its month.
    pub fn add_to_month(&mut self, month: Month, effect: Effect) {
        let sums = self.months.entry(month).or_default();
        sums.committed += effect.committed;
        sums.paid += effect.paid;
        sums.contributed += effect.contributed;
        if *sums == MonthSums::default() {
            self.months.remove(&month);
        }
    }
}

impl Record for Totals {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, self.view)
    }
}

/// The item. Rows of numbers instead of maps with names: eight views shall fit into two units of
/// capacity (8 KB).
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    actions: u32,
    entries: u32,
    contributions: u32,
    /// Committed, paid to the company, paid to providers, in progress, contributed, remaining, overpaid, recovered.
    sums: Row<8>,
    /// The same without what is contributed.
    schemes: BTreeMap<String, Row<7>>,
    /// Committed, paid to the company, paid to providers, contributed.
    months: BTreeMap<String, Row<4>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shared: BTreeMap<String, u64>,
    #[serde(flatten)]
    booked: Booked,
    chain: Fingerprint,
    version: u64,
}

impl TryFrom<Stored> for Totals {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let ["TOTALS", view] = pieces(&stored.sk)? else { return Err("not the sort key of totals".to_owned()) };
        let Row([committed, to_company, to_providers, in_progress, contributed, remaining, overpaid, recovered]) =
            stored.sums;
        let paid = Paid { to_company, to_providers };
        let scheme = |(name, row): (String, Row<7>)| {
            Ok::<_, String>((Scheme::parse(&name).ok_or("totals of an unknown scheme")?, Measures::from(row)))
        };
        let month = |(name, Row([committed, to_company, to_providers, contributed])): (String, Row<4>)| {
            let paid = Paid { to_company, to_providers };
            let month = Month::parse(&name).ok_or("totals of no month")?;
            Ok::<_, String>((month, MonthSums { committed, paid, contributed }))
        };
        let shared = |(view, count): (String, u64)| {
            Ok::<_, String>((View::parse(&view).ok_or("totals shared with no view")?, count))
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            view: View::parse(view).ok_or("totals without a view")?,
            actions: stored.actions,
            entries: stored.entries,
            contributions: stored.contributions,
            sums: Measures { committed, paid, in_progress, remaining, overpaid, recovered },
            contributed,
            schemes: stored.schemes.into_iter().map(scheme).collect::<Result<_, _>>()?,
            months: stored.months.into_iter().map(month).collect::<Result<_, _>>()?,
            shared: stored.shared.into_iter().map(shared).collect::<Result<_, _>>()?,
            chain: Chain { postings: stored.booked.postings, hash: stored.chain },
            versions: stored.booked.versions,
            booked_at: stored.booked.at,
            version: stored.version,
        })
    }
}

impl From<Totals> for Stored {
    fn from(totals: Totals) -> Self {
        let Key { pk, sk, .. } = totals.key();
        let booked = totals.booked();
        let scheme = |(scheme, sums): (Scheme, Measures)| (scheme.as_str().to_owned(), Row::from(sums));
        let month = |(month, s): (Month, MonthSums)| {
            let Paid { to_company, to_providers } = s.paid;
            (month.to_string(), Row([s.committed, to_company, to_providers, s.contributed]))
        };
        let Measures { committed, paid, in_progress, remaining, overpaid, recovered } = totals.sums;
        let Paid { to_company, to_providers } = paid;
        let contributed = totals.contributed;
        Self {
            pk,
            sk,
            actions: totals.actions,
            entries: totals.entries,
            contributions: totals.contributions,
            sums: Row([committed, to_company, to_providers, in_progress, contributed, remaining, overpaid, recovered]),
            schemes: totals.schemes.into_iter().map(scheme).collect(),
            months: totals.months.into_iter().map(month).collect(),
            shared: totals.shared.into_iter().map(|(view, count)| (view.to_string(), count)).collect(),
            booked,
            chain: totals.chain.hash,
            version: totals.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::store::to_item;

    /// The bytes that DynamoDB counts: names, texts, half a byte a digit and one more, one more for each thing in a list
    /// or a map, and three for the list or map itself.
    fn bytes(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
            AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>(),
            _ => 1,
        }
    }

    /// An account of some hundred employees, twenty actions a year of some thousand euros each: four schemes, and two years
    /// of months, in each view.
    #[test]
    fn eight_views_of_totals_fit_into_two_units_of_capacity() {
        let paid = Paid { to_company: Cents(12_345_678), to_providers: Cents(23_456_789) };
        let mut totals = Totals::empty(MemberNumber::parse("012345").unwrap(), View::parse("2018").unwrap());
        for scheme in &Scheme::ALL[..4] {
            let (in_progress, remaining) = (Cents(1_234_567), Cents(2_345_678));
            let by = Measures { committed: Cents(34_567_890), paid, in_progress, remaining, ..Measures::default() };
            totals.add(*scheme, by);
        }
        for month in 0..24 {
            let paid = Paid { to_company: Cents(123_456), to_providers: Cents(234_567) };
            let effect = Effect { committed: Cents(345_678), paid, ..Effect::default() };
            totals.add_to_month(Month::of(date(2018, 1, 1) + month.months()), effect);
        }
        let item = to_item(&totals).unwrap();
        let size: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
        assert!(8 * size <= 8 * 1024, "{size} bytes a view");
    }

    #[test]
    fn totals_come_back_as_they_were_stored() {
        let mut totals = Totals::empty(MemberNumber::parse("012345").unwrap(), View::parse("2018").unwrap());
        let paid = Paid { to_company: Cents(-2), to_providers: Cents(3) };
        let (remaining, overpaid, recovered) = (Cents(5), Cents(6), Cents(7));
        let by = Measures { committed: Cents(1), paid, in_progress: Cents(4), remaining, overpaid, recovered };
        totals.add(Scheme::Dif, by);
        totals.contributed = Cents(8);
        let effect = Effect { committed: Cents(9), paid, contributed: Cents(10), ..Effect::default() };
        totals.add_to_month(Month::of(date(2018, 3, 1)), effect);
        let back: Totals = crate::store::from_item(to_item(&totals).unwrap()).unwrap();
        assert_eq!(back, totals);
    }
}

//! What an entry does to its action and to its view.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Invoices;
use crate::domain::{ActionStatus, Cents, Effect, Paid, Scheme, ShortText, View};

/// Where an action's entries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Home {
    /// In which view.
    pub view: View,
    /// Under which scheme.
    pub scheme: Scheme,
}

/// The running sums of an action, with their sign: what its entries add up to and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSums {
    /// What the fund promised.
    pub committed: Cents,
    /// What it paid, less what came back.
    pub paid: Paid,
    /// Received - rejected - payments + returned. Payments may come before their invoice, so it can be negative for a
    /// while.
    pub in_progress: Cents,
    /// What it took back. `paid` is less by it.
    #[serde(default)]
    pub recovered: Cents,
    /// The part that each invoice has of `in_progress`.
    #[serde(default, skip_serializing_if = "Invoices::is_empty")]
    pub invoices: Invoices,
}

impl ActionSums {
    /// The sums after an entry of this effect, which names this invoice.
    #[must_use]
    pub fn after(self, effect: Effect, invoice: Option<&ShortText>) -> Self {
        Self {
            committed: self.committed + effect.committed,
            paid: self.paid + effect.paid,
            in_progress: self.in_progress + effect.in_progress,
            recovered: self.recovered + effect.recovered,
            invoices: self.invoices.after(effect.in_progress, invoice),
        }
    }

    /// The figures of an action with these sums and this status. Totals are sums of these, and move by their
    /// differences, so the order in which entries and states arrive never matters.
    #[must_use]
    pub fn measures(&self, status: ActionStatus) -> Measures {
        let Self { committed, paid, in_progress, recovered, ref invoices } = *self;
        // Below zero either is of entries that came before what they undo, or twice: nothing is promised then, and nothing
        // was paid.
        let (promised, spent) = (committed.or_zero(), (paid.total() + recovered).or_zero());
        let remaining = if status.is_settled() { Cents::ZERO } else { promised - spent };
        Measures {
            committed,
            paid,
            in_progress: invoices.in_progress(in_progress),
            remaining: remaining.or_zero(),
            overpaid: (paid.total() - promised).or_zero(),
            recovered,
        }
    }
}

impl std::ops::Add for ActionSums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            committed: self.committed + other.committed,
            paid: self.paid + other.paid,
            in_progress: self.in_progress + other.in_progress,
            recovered: self.recovered + other.recovered,
            invoices: self.invoices + other.invoices,
        }
    }
}

/// The figures of an action as they are shown, or of many added up: of a scheme, of a status, of a view. Of one action
/// none is below zero that is a difference of others, so that in a sum nothing hides something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// Promised.
    pub committed: Cents,
    /// Paid, less what came back.
    pub paid: Paid,
    /// Invoiced and not paid.
    pub in_progress: Cents,
    /// Left to pay of the promise; what was taken back is not paid again.
    pub remaining: Cents,
    /// Paid beyond the promise, less what was taken back of it.
    pub overpaid: Cents,
    /// Taken back.
    pub recovered: Cents,
}

impl std::ops::Add for Measures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            committed: self.committed + other.committed,
            paid: self.paid + other.paid,
            in_progress: self.in_progress + other.in_progress,
            remaining: self.remaining + other.remaining,
            overpaid: self.overpaid + other.overpaid,
            recovered: self.recovered + other.recovered,
        }
    }
}

impl std::ops::AddAssign for Measures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::ops::Neg for Measures {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            committed: -self.committed,
            paid: -self.paid,
            in_progress: -self.in_progress,
            remaining: -self.remaining,
            overpaid: -self.overpaid,
            recovered: -self.recovered,
        }
    }
}

impl std::ops::Sub for Measures {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl std::iter::Sum for Measures {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// A row of numbers as it is stored: without the zeros at its end, which most rows have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<Cents>", into = "Vec<Cents>")]
pub(super) struct Row<const N: usize>(pub(super) [Cents; N]);

impl From<Measures> for Row<7> {
    fn from(measures: Measures) -> Self {
        let Measures { committed, paid, in_progress, remaining, overpaid, recovered } = measures;
        Self([committed, paid.to_company, paid.to_providers, in_progress, remaining, overpaid, recovered])
    }
}

impl From<Row<7>> for Measures {
    fn from(Row([committed, to_company, to_providers, in_progress, remaining, overpaid, recovered]): Row<7>) -> Self {
        let paid = Paid { to_company, to_providers };
        Self { committed, paid, in_progress, remaining, overpaid, recovered }
    }
}

impl<const N: usize> TryFrom<Vec<Cents>> for Row<N> {
    type Error = String;

    fn try_from(stored: Vec<Cents>) -> Result<Self, String> {
        let mut row = [Cents::ZERO; N];
        let numbers = row.get_mut(..stored.len()).ok_or_else(|| format!("a row of more than {N} numbers"))?;
        numbers.copy_from_slice(&stored);
        Ok(Self(row))
    }
}

impl<const N: usize> From<Row<N>> for Vec<Cents> {
    fn from(Row(row): Row<N>) -> Self {
        let length = row.iter().rposition(|number| *number != Cents::ZERO).map_or(0, |last| last + 1);
        row[..length].to_vec()
    }
}

/// A month of the fund's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.month, 1)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        // One spelling: no sign, two digits a month.
        let digits = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let (year, month) = text.split_once('-').filter(|(year, _)| digits && year.len() == 4)?;
        Some(Self { year: year.parse().ok()?, month: month.parse().ok().filter(|month| (1..=12).contains(month))? })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EntryKind, Payee};

    /// Remaining, overpaid and recovered, in euros, of an action with this status and entries.
    fn figures(status: ActionStatus, entries: &[(EntryKind, i64)]) -> [i64; 3] {
        let effects = entries.iter().filter_map(|(kind, euros)| kind.effect(Cents(euros * 100), Payee::Company));
        let Measures { remaining, overpaid, recovered, .. } =
            effects.fold(ActionSums::default(), |sums, effect| sums.after(effect, None)).measures(status);
        [remaining, overpaid, recovered].map(|cents| cents.0 / 100)
    }

    #[test]
    fn what_remains_is_of_the_promise_and_never_below_zero() {
        use ActionStatus::{Cancelled, Closed, Committed, Paid, PartlyPaid, Refused};
        use EntryKind::{
            Commitment, CommitmentCancellation, CommitmentRevision, PaymentReturned, PaymentToCompany,
            PaymentToProvider, Recovery,
        };
        for (says, status, entries, expected) in [
            ("nothing paid", Committed, &[(Commitment, 1_800)][..], [1_800, 0, 0]),
            ("partly paid", PartlyPaid, &[(Commitment, 1_800), (PaymentToCompany, 900)], [900, 0, 0]),
            (
                "revised",
                PartlyPaid,
                &[(Commitment, 1_800), (CommitmentRevision, -1_000), (PaymentToCompany, 500)],
                [300, 0, 0],
            ),
            ("paid", Paid, &[(Commitment, 1_800), (PaymentToCompany, 1_800)], [0, 0, 0]),
            ("taken back", Closed, &[(Commitment, 1_800), (PaymentToCompany, 1_800), (Recovery, 300)], [0, 0, 300]),
            (
                "taken back, not closed",
                Paid,
                &[(Commitment, 1_800), (PaymentToCompany, 1_800), (Recovery, 300)],
                [0, 0, 300],
            ),
            (
                "taken back of a part",
                PartlyPaid,
                &[(Commitment, 1_800), (PaymentToCompany, 900), (Recovery, 300)],
                [900, 0, 300],
            ),
            (
                "returned by the bank",
                PartlyPaid,
                &[(Commitment, 1_800), (PaymentToCompany, 1_800), (PaymentReturned, 300)],
                [300, 0, 0],
            ),
            (
                "paid twice",
                Paid,
                &[(Commitment, 1_000), (PaymentToCompany, 1_000), (PaymentToProvider, 1_000)],
                [0, 1_000, 0],
            ),
            (
                "and taken back",
                Paid,
                &[(Commitment, 1_000), (PaymentToCompany, 2_000), (Recovery, 1_000)],
                [0, 0, 1_000],
            ),
            ("closed, partly spent", Closed, &[(Commitment, 1_800), (PaymentToCompany, 1_200)], [0, 0, 0]),
            ("refused with a promise", Refused, &[(Commitment, 700)], [0, 0, 0]),
            (
                "cancelled after a payment",
                Cancelled,
                &[(Commitment, 500), (PaymentToCompany, 200), (CommitmentCancellation, 500)],
                [0, 200, 0],
            ),
            ("cancelled with its promise", Cancelled, &[(Commitment, 500), (PaymentToCompany, 200)], [0, 0, 0]),
            ("a cancellation before its commitment", Committed, &[(CommitmentCancellation, 500)], [0, 0, 0]),
            (
                "a return that came twice",
                PartlyPaid,
                &[(Commitment, 500), (PaymentToCompany, 200), (PaymentReturned, 400)],
                [500, 0, 0],
            ),
            ("a recovery before its payment", Committed, &[(Commitment, 500), (Recovery, 200)], [500, 0, 200]),
        ] {
            assert_eq!(figures(status, entries), expected, "{says}");
        }
    }

    #[test]
    fn three_statuses_leave_nothing_to_pay() {
        let settled: Vec<_> = ActionStatus::ALL.iter().filter(|status| status.is_settled()).collect();
        assert_eq!(settled, [&ActionStatus::Refused, &ActionStatus::Closed, &ActionStatus::Cancelled]);
    }

    #[test]
    fn a_row_is_stored_without_the_zeros_at_its_end() {
        let stored = |row| Vec::<Cents>::from(Row::<3>(row));
        assert_eq!(stored([Cents(0), Cents(-2), Cents(0)]), [Cents(0), Cents(-2)]);
        assert_eq!(stored([Cents(0); 3]), []);
        let read = |stored: &[i64]| Row::<3>::try_from(stored.iter().copied().map(Cents).collect::<Vec<_>>());
        assert_eq!(read(&[0, -2]).unwrap().0, [Cents(0), Cents(-2), Cents(0)]);
        assert_eq!(read(&[1, 2, 3]).unwrap().0, [Cents(1), Cents(2), Cents(3)]);
        assert!(read(&[1, 2, 3, 4]).is_err());
    }
}

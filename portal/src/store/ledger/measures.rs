//! What an entry does to its action and to its view.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{Cents, Effect, Paid, Scheme, View};

/// Where an action's entries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Home {
    /// In which view.
    pub view: View,
    /// Under which scheme.
    pub scheme: Scheme,
}

/// The running sums of an action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSums {
    /// What the fund promised.
    pub committed: Cents,
    /// What it paid, less what came back.
    pub paid: Paid,
    /// Received - rejected - payments + returned, with its sign. Payments may come before their invoice,
    /// so it can be negative for a while; what is shown and totalled is [`Self::shown_in_progress`].
    pub in_progress: Cents,
}

impl ActionSums {
    /// The sums after an effect.
    #[must_use]
    pub fn after(self, effect: Effect) -> Self {
        Self {
            committed: self.committed + effect.committed,
            paid: self.paid + effect.paid,
            in_progress: self.in_progress + effect.in_progress,
        }
    }

    /// What is invoiced and not paid, or nothing where more was paid than invoiced.
    #[must_use]
    pub fn shown_in_progress(self) -> Cents {
        self.in_progress.or_zero()
    }

    /// What is left to pay of the promise.
    #[must_use]
    pub fn remaining(self) -> Cents {
        self.committed - self.paid.total()
    }

    /// What the totals of a view have of an action with these sums.
    #[must_use]
    pub fn as_move(self) -> Move {
        Move {
            committed: self.committed,
            paid: self.paid,
            in_progress: self.shown_in_progress(),
            contributed: Cents::ZERO,
        }
    }

    /// What the totals of a view move by when an action's sums become `after`.
    ///
    /// The difference of what is shown, so the order in which entries arrive never matters.
    #[must_use]
    pub fn move_to(self, after: Self) -> Move {
        Move {
            committed: after.committed - self.committed,
            paid: after.paid - self.paid,
            in_progress: after.shown_in_progress() - self.shown_in_progress(),
            contributed: Cents::ZERO,
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
        }
    }
}

impl std::ops::Sub for ActionSums {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            committed: self.committed - other.committed,
            paid: self.paid - other.paid,
            in_progress: self.in_progress - other.in_progress,
        }
    }
}

/// What totals move by; unlike an [`Effect`], in progress is what is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Move {
    /// What is committed.
    pub committed: Cents,
    /// What is paid.
    pub paid: Paid,
    /// What is shown as in progress.
    pub in_progress: Cents,
    /// What is contributed.
    pub contributed: Cents,
}

impl std::ops::AddAssign for Move {
    fn add_assign(&mut self, other: Self) {
        self.committed += other.committed;
        self.paid += other.paid;
        self.in_progress += other.in_progress;
        self.contributed += other.contributed;
    }
}

impl std::ops::Neg for Move {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            committed: -self.committed,
            paid: -self.paid,
            in_progress: -self.in_progress,
            contributed: -self.contributed,
        }
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

//! The order of the list, and the place of an account in it.

use std::cmp::Ordering;

use jiff::Timestamp;
use portal::domain::folded;
use portal::security::{SealedCursor, SymmetricKey};
use portal::store::Grant;

use crate::figures::Figures;

/// The form of what a cursor says; a cursor of another form is not valid.
const VERSION: &str = "3";

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sort {
    by: By,
    descending: bool,
}

/// What accounts are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum By {
    #[default]
    Number,
    Name,
    LastMovement,
    Committed,
    InProgress,
    Remaining,
}

impl By {
    const ALL: [Self; 6] =
        [Self::Number, Self::Name, Self::LastMovement, Self::Committed, Self::InProgress, Self::Remaining];

    fn as_str(self) -> &'static str {
        match self {
            Self::Number => "member_number",
            Self::Name => "name",
            Self::LastMovement => "last_movement",
            Self::Committed => "committed",
            Self::InProgress => "in_progress",
            Self::Remaining => "remaining",
        }
    }
}

impl Sort {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        By::ALL.into_iter().find(|by| by.as_str() == name).map(|by| Self { by, descending })
    }

    /// The text that names it.
    pub(crate) fn as_text(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }

    /// Returns whether a figure decides: then those of all accounts have to be read.
    pub(crate) fn is_by_figure(self) -> bool {
        !matches!(self.by, By::Number | By::Name)
    }

    /// Compares two places. Accounts without the figure come last in either direction: they say nothing.
    pub(crate) fn compare(self, one: &Place, other: &Place) -> Ordering {
        let by_figure = match (one.figure, other.figure) {
            (Some(one), Some(other)) if self.descending => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        let by_text = || (&one.name, &one.number).cmp(&(&other.name, &other.number));
        by_figure.then_with(|| if self.descending { by_text().reverse() } else { by_text() })
    }
}

/// The place of an account in the order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The figure that decides, where one does and is known: cents, or milliseconds.
    figure: Option<i64>,
    /// Without case and accents; empty where it does not decide.
    name: String,
    number: String,
}

impl Place {
    pub(crate) fn of(account: &Grant, figures: Option<&Figures>, sort: Sort) -> Self {
        let figure = figures.and_then(|Figures { booked, totals, .. }| match sort.by {
            By::Number | By::Name => None,
            By::LastMovement => booked.at.map(Timestamp::as_millisecond),
            By::Committed => Some(totals.of_actions.committed.0),
            By::InProgress => Some(totals.of_actions.in_progress.0),
            By::Remaining => Some(totals.of_actions.remaining.0),
        });
        let name = if sort.by == By::Name { folded(&account.name) } else { String::new() };
        Self { figure, name, number: account.member_number.to_string() }
    }

    /// The text of a cursor behind it.
    pub(crate) fn seal(&self, key: &SymmetricKey, bound: &str) -> String {
        let figure = self.figure.map(|figure| figure.to_string()).unwrap_or_default();
        let said = format!("{VERSION}#{}#{figure}#{}", self.number, self.name);
        SealedCursor::OfAccounts.seal(&said, key, bound)
    }

    /// The place that a cursor names.
    pub(crate) fn open(text: &str, key: &SymmetricKey, bound: &str) -> Option<Self> {
        let said = SealedCursor::OfAccounts.open(text, key, bound)?;
        let mut parts = said.strip_prefix(VERSION)?.strip_prefix('#')?.splitn(3, '#');
        let (number, figure, name) = (parts.next()?, parts.next()?, parts.next()?);
        let figure = if figure.is_empty() { None } else { Some(figure.parse().ok()?) };
        Some(Self { figure, name: name.to_owned(), number: number.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(figure: Option<i64>, number: &str) -> Place {
        Place { figure, name: String::new(), number: number.to_owned() }
    }

    #[test]
    fn accounts_without_the_figure_come_last_in_either_direction() {
        for (text, expected) in [("remaining", ["3", "1", "2", "4", "5"]), ("-remaining", ["2", "1", "3", "5", "4"])] {
            let sort = Sort::parse(text).unwrap();
            let mut places =
                [place(Some(5), "1"), place(None, "5"), place(Some(7), "2"), place(None, "4"), place(Some(-1), "3")];
            places.sort_by(|one, other| sort.compare(one, other));
            assert_eq!(places.each_ref().map(|place| place.number.as_str()), expected, "{text}");
        }
    }

    #[test]
    fn an_order_has_one_name() {
        for by in By::ALL {
            for text in [by.as_str().to_owned(), format!("-{}", by.as_str())] {
                assert_eq!(Sort::parse(&text).unwrap().as_text(), text);
            }
        }
        for wrong in ["", "-", "--name", "+name", "Name", "paid", "name "] {
            assert_eq!(Sort::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_place_comes_back_from_its_cursor() {
        let key = SymmetricKey::from_secret("a secret");
        for place in [
            Place { figure: Some(-5), name: String::new(), number: "012345".to_owned() },
            Place { figure: None, name: "a # b".to_owned(), number: "012345".to_owned() },
        ] {
            assert_eq!(Place::open(&place.seal(&key, "bound"), &key, "bound"), Some(place));
        }
    }
}

//! The order of a list that is read whole, and where its next page begins.

use std::cmp::Ordering;

use portal::domain::{View, folded};
use portal::security::SymmetricKey;
use portal::store::ListedAction;

use crate::cursor::Bound;

/// The form of what a cursor says; `s` keeps it apart from the places of [`crate::cursor`].
const VERSION: &str = "s1";

/// What actions are sorted by, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    by: Field,
    descending: bool,
}

/// A field of an action as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    EngagementDate,
    ActionId,
    Title,
    Status,
    Committed,
    Paid,
    InProgress,
    Remaining,
}

/// What an item is sorted by. Of items with the same, the id decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    Number(i64),
    Text(String),
}

/// The place of an item in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortedPlace {
    /// The view that the list is of, where it is of one.
    pub(crate) view: Option<View>,
    pub(crate) id: String,
    pub(crate) key: SortKey,
}

impl Field {
    fn as_str(self) -> &'static str {
        match self {
            Self::EngagementDate => "engagement_date",
            Self::ActionId => "action_id",
            Self::Title => "title",
            Self::Status => "status",
            Self::Committed => "committed",
            Self::Paid => "paid",
            Self::InProgress => "in_progress",
            Self::Remaining => "remaining",
        }
    }
}

/// Latest engagement first: the order in which actions are stored.
impl Default for Sort {
    fn default() -> Self {
        Self::descending(Field::EngagementDate)
    }
}

impl Sort {
    /// All orders.
    pub const ALL: [Self; 16] = [
        Self::ascending(Field::EngagementDate),
        Self::descending(Field::EngagementDate),
        Self::ascending(Field::ActionId),
        Self::descending(Field::ActionId),
        Self::ascending(Field::Title),
        Self::descending(Field::Title),
        Self::ascending(Field::Status),
        Self::descending(Field::Status),
        Self::ascending(Field::Committed),
        Self::descending(Field::Committed),
        Self::ascending(Field::Paid),
        Self::descending(Field::Paid),
        Self::ascending(Field::InProgress),
        Self::descending(Field::InProgress),
        Self::ascending(Field::Remaining),
        Self::descending(Field::Remaining),
    ];

    const fn ascending(by: Field) -> Self {
        Self { by, descending: false }
    }

    const fn descending(by: Field) -> Self {
        Self { by, descending: true }
    }

    /// Reads the name of an order: a field's, after `-` for the greatest first.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_text() == text)
    }

    /// The name of the order.
    #[must_use]
    pub fn as_text(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.as_str())
    }

    /// What an action is sorted by.
    pub(crate) fn key_of(self, action: &ListedAction) -> SortKey {
        match self.by {
            Field::EngagementDate => SortKey::Text(action.engagement_date.to_string()),
            Field::ActionId => SortKey::Text(String::new()),
            Field::Title => SortKey::Text(folded(&action.title)),
            // As far as it has come, not by the alphabet.
            Field::Status => SortKey::Number(action.status as i64),
            Field::Committed => SortKey::Number(action.sums.committed.0),
            Field::Paid => SortKey::Number(action.sums.paid.total().0),
            Field::InProgress => SortKey::Number(action.measures().in_progress.0),
            Field::Remaining => SortKey::Number(action.measures().remaining.0),
        }
    }

    /// The order of two items, each by its key and id.
    pub(crate) fn compare(self, one: (&SortKey, &str), other: (&SortKey, &str)) -> Ordering {
        let order = one.cmp(&other);
        if self.descending { order.reverse() } else { order }
    }
}

impl SortedPlace {
    /// The text of a cursor behind it.
    pub(crate) fn seal(&self, key: &SymmetricKey, bound: &Bound<'_>) -> String {
        let view = self.view.map(|view| view.to_string()).unwrap_or_default();
        let (kind, value) = match &self.key {
            SortKey::Number(number) => ("n", number.to_string()),
            SortKey::Text(text) => ("t", text.clone()),
        };
        // Lengths keep apart what may hold anything but a line end.
        bound.seal(&format!("{VERSION}#{view}#{kind}#{}#{value}{}", value.len(), self.id), key)
    }

    /// Reads such a cursor; `None` where it was not made for this, or was changed.
    pub(crate) fn open(text: &str, key: &SymmetricKey, bound: &Bound<'_>) -> Option<Self> {
        Self::read(&bound.open(text, key)?)
    }

    fn read(said: &str) -> Option<Self> {
        let [VERSION, view, kind, length, rest] = said.splitn(5, '#').collect::<Vec<_>>()[..] else { return None };
        let (value, id) = rest.split_at_checked(length.parse().ok()?)?;
        let key = match kind {
            "n" => SortKey::Number(value.parse().ok()?),
            "t" => SortKey::Text(value.to_owned()),
            _ => return None,
        };
        let view = if view.is_empty() { None } else { Some(View::parse(view)?) };
        Some(Self { view, id: id.to_owned(), key })
    }
}

#[cfg(test)]
mod tests {
    use portal::domain::{Id, MemberNumber};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_order_has_its_name() {
        for sort in Sort::ALL {
            assert_eq!(Sort::parse(&sort.as_text()), Some(sort));
        }
        assert_eq!(Sort::default().as_text(), "-engagement_date");
        for wrong in ["", "-", "date", "--title", "+title", "TITLE", "title "] {
            assert_eq!(Sort::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_id_decides_between_equals_in_the_direction_of_the_order() {
        let (one, two) = (SortKey::Number(1), SortKey::Number(2));
        let (up, down) = (Sort::ascending(Field::Paid), Sort::descending(Field::Paid));
        assert_eq!(up.compare((&one, "z"), (&two, "a")), Ordering::Less);
        assert_eq!(down.compare((&one, "z"), (&two, "a")), Ordering::Greater);
        assert_eq!(up.compare((&one, "a"), (&one, "b")), Ordering::Less);
        assert_eq!(down.compare((&one, "a"), (&one, "b")), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn a_place_comes_back_from_its_cursor(
            year in prop::option::of(1000_i16..10_000), number in prop::option::of(any::<i64>()), text in "[ -~é]{0,40}", id in "[ -~é]{1,64}",
        ) {
            let key = number.map_or(SortKey::Text(text), SortKey::Number);
            let place = SortedPlace { view: year.and_then(|year| View::parse(&year.to_string())), id, key };
            let account = MemberNumber::parse("012345").unwrap();
            let bound = Bound { user: Id::from_bytes([7; 16]), account: &account, filter: "actions".to_owned() };
            let secret = SymmetricKey::from_secret("a secret of the test");
            prop_assert_eq!(SortedPlace::open(&place.seal(&secret, &bound), &secret, &bound), Some(place));
        }
    }
}

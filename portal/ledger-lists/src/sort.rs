//! The order of a list that is read whole.

use std::cmp::Ordering;

use portal::domain::folded;
use portal::store::ListedAction;

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
pub enum SortKey {
    /// An amount, or how far something has come.
    Number(i64),
    /// A text or a day.
    Text(String),
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
    #[must_use]
    pub fn key_of(self, action: &ListedAction) -> SortKey {
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
    #[must_use]
    pub fn compare(self, one: (&SortKey, &str), other: (&SortKey, &str)) -> Ordering {
        let order = one.cmp(&other);
        if self.descending { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
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
}

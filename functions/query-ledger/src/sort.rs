//! Where the next page begins of a list that is read whole.

use ledger_lists::SortKey;
use portal::domain::View;
use portal::security::SymmetricKey;

use crate::cursor::Bound;

/// The form of what a cursor says; `s` keeps it apart from the places of [`crate::cursor`].
const VERSION: &str = "s1";

/// The place of an item in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortedPlace {
    /// The view that the list is of, where it is of one.
    pub(crate) view: Option<View>,
    pub(crate) id: String,
    pub(crate) key: SortKey,
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

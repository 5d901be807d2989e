//! Cursors: where the next page of a list begins.
//!
//! A cursor is sealed for the user, the account and the filter that it was made for: in other hands, on another
//! account or with another filter it is not valid. It holds nothing that its owner did not see.
//!
//! Public for `fuzz/` alone.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{Id, MemberNumber, View};
use portal::security::{SealedCursor, SymmetricKey};
use portal::store::Booked;

/// The form of what a cursor says; a cursor of another form is not valid.
const VERSION: &str = "5";

/// The longest id, in bytes: the number of a transfer has 64 code points, its source 64 bytes.
const LONGEST_ID: usize = 256 + 1 + 64;

/// The last item of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The view of the item. Of a list of one view it is that view, named by the filter or not.
    pub view: View,
    /// The day that the list sorts the item by.
    pub date: Date,
    /// Of a list of entries, the state that its first page showed: further pages show it too, whatever is posted meanwhile.
    pub state: Option<Booked>,
    /// Which it is: the id of an action, the number of an entry in its view with its id, the source and the number of a
    /// transfer. Without a line end.
    pub id: String,
}

/// What a cursor is good for.
#[derive(Debug, Clone)]
pub struct Bound<'a> {
    /// For whom.
    pub user: Id,
    /// On which account.
    pub account: &'a MemberNumber,
    /// Of which list, with which filter, as text.
    pub filter: String,
}

impl Cursor {
    /// The cursor's text.
    #[must_use]
    pub fn seal(&self, key: &SymmetricKey, bound: &Bound<'_>) -> String {
        let state = self.state.map(|Booked { postings, at, .. }| {
            let at = at.map(|at| at.as_millisecond().to_string()).unwrap_or_default();
            format!("{postings}.{at}")
        });
        let state = state.unwrap_or_default();
        let said = format!("{VERSION}#{}#{}#{state}#{}", self.view, self.date, self.id);
        bound.seal(&said, key)
    }

    /// Reads a cursor; `None` where it was not made for this, or was changed.
    #[must_use]
    pub fn open(text: &str, key: &SymmetricKey, bound: &Bound<'_>) -> Option<Self> {
        Self::read(&bound.open(text, key)?)
    }

    /// Reads what a cursor says, whose tag was checked.
    #[must_use]
    pub fn read(said: &str) -> Option<Self> {
        // The id comes last: `#` may be in the number of a transfer.
        let [VERSION, view, date, state, id] = said.splitn(5, '#').collect::<Vec<_>>()[..] else { return None };
        if id.len() > LONGEST_ID || id.contains('\n') {
            return None;
        }
        Some(Self {
            view: View::parse(view)?,
            date: date.parse().ok()?,
            state: Some(state).filter(|state| !state.is_empty()).map(read_state).transpose().ok()?,
            id: id.to_owned(),
        })
    }
}

/// Reads a state; `Err` where it is none.
fn read_state(text: &str) -> Result<Booked, ()> {
    let (postings, at) = text.split_once('.').ok_or(())?;
    let at = Some(at)
        .filter(|at| !at.is_empty())
        .map(|at| Timestamp::from_millisecond(at.parse().map_err(drop)?).map_err(drop));
    Ok(Booked { postings: postings.parse().map_err(drop)?, at: at.transpose()?, ..Booked::default() })
}

impl Bound<'_> {
    /// The text of a cursor that says this.
    pub(crate) fn seal(&self, said: &str, key: &SymmetricKey) -> String {
        SealedCursor::OfLedger.seal(said, key, &self.as_text())
    }

    /// What a cursor says.
    pub(crate) fn open(&self, text: &str, key: &SymmetricKey) -> Option<String> {
        SealedCursor::OfLedger.open(text, key, &self.as_text())
    }

    /// Neither ids nor filters hold a line end, so no two things have one text.
    fn as_text(&self) -> String {
        format!("{}\n{}\n{}", self.user, self.account, self.filter)
    }
}
#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ledger_lists::{ActionFilter, ActionSearch, Sort};
    use portal::domain::{ActionStatus, Scheme};
    use proptest::prelude::*;

    use super::*;

    fn key() -> SymmetricKey {
        SymmetricKey::from_secret("a secret of the test")
    }

    prop_compose! {
        fn filters()(
            view in prop::option::of(2009_i16..2017), status in prop::option::of(0..12_usize), scheme in prop::option::of(0..10_usize), words in prop::option::of("[a-z]{1,3}"), sort in prop::option::of(0..Sort::ALL.len()),
        ) -> String {
            let filter = ActionFilter {
                view: view.and_then(|year| View::parse(&year.to_string())),
                status: status.map(|index| ActionStatus::ALL[index]),
                scheme: scheme.map(|index| Scheme::ALL[index]),
                search: ActionSearch::of(words),
                sort: sort.map_or_else(Sort::default, |index| Sort::ALL[index]),
            };
            filter.as_text()
        }
    }

    prop_compose! {
        fn cursors()(year in 2009_i16..2017, month in 1_i8..=12, day in 1_i8..=28, id in "[ -~é]{1,64}", state in prop::option::of((any::<u64>(), prop::option::of(0..253_402_207_200_000_i64)))) -> Cursor {
            Cursor {
                view: View::parse(&year.to_string()).unwrap(),
                date: date(year, month, day),
                state: state.map(|(postings, at)| Booked {
                    postings,
                    at: at.map(|at| Timestamp::from_millisecond(at).unwrap()),
                    ..Booked::default()
                }),
                id,
            }
        }
    }

    proptest! {
        #[test]
        fn a_cursor_opens_for_what_it_was_made_for_and_nothing_else(
            cursor in cursors(), user in any::<[u8; 16]>(), other_user in any::<[u8; 16]>(),
            number in "[0-9]{6}", other_number in "[0-9]{6}", filter in filters(), other_filter in filters(),
        ) {
            let (account, other) = (MemberNumber::parse(&number).unwrap(), MemberNumber::parse(&other_number).unwrap());
            let bound = Bound { user: Id::from_bytes(user), account: &account, filter: filter.clone() };
            let text = cursor.seal(&key(), &bound);
            prop_assert!(text.len() <= 2048);
            prop_assert_eq!(Cursor::open(&text, &key(), &bound), Some(cursor));
            let refused = |bound: Bound<'_>| Cursor::open(&text, &key(), &bound).is_none();
            let of_another = Bound { user: Id::from_bytes(other_user), ..bound.clone() };
            prop_assert!(other_user == user || refused(of_another));
            let on_another = Bound { account: &other, ..bound.clone() };
            prop_assert!(other_number == number || refused(on_another));
            let of_others = Bound { filter: other_filter.clone(), ..bound.clone() };
            prop_assert!(other_filter == filter || refused(of_others));
            prop_assert_eq!(Cursor::open(&text, &SymmetricKey::from_secret("another"), &bound), None);
        }

        #[test]
        fn a_changed_cursor_does_not_open(cursor in cursors(), at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let account = MemberNumber::parse("012345").unwrap();
            let bound = Bound { user: Id::from_bytes([7; 16]), account: &account, filter: ActionFilter::default().as_text() };
            let text = cursor.seal(&key(), &bound);
            let at = at.index(text.len());
            let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
            prop_assert!(changed == text || Cursor::open(&changed, &key(), &bound).is_none());
        }

        #[test]
        fn no_text_opens_by_chance_nor_panics(text in "\\PC{0,100}") {
            let account = MemberNumber::parse("012345").unwrap();
            let bound = Bound { user: Id::from_bytes([7; 16]), account: &account, filter: ActionFilter::default().as_text() };
            prop_assert_eq!(Cursor::open(&text, &key(), &bound), None);
        }
    }
}

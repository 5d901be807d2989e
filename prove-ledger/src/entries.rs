//! The entries of an account: the number and the hash of each, by view.

use std::collections::BTreeMap;

use portal::domain::{MemberNumber, View};
use portal::store::{Fingerprint, Item, Store, StoreError, whole_ledger};

/// The entries of an account as they are read.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// The numbers and hashes of each view's.
    pub(crate) views: BTreeMap<View, Vec<(u64, Fingerprint)>>,
    /// The count of all.
    pub(crate) count: u64,
    /// The sort keys of those that say no number.
    pub(crate) unreadable: Vec<String>,
}

impl Entries {
    /// Reads them; `page` is how many items at once, without it the megabyte that DynamoDB gives.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn read(store: &Store, account: &MemberNumber, page: Option<i32>) -> Result<Self, StoreError> {
        let mut query = whole_ledger(account);
        if let Some(items) = page {
            query = query.limit(items);
        }
        let mut entries = Self::default();
        store.each_item(query, |item| entries.add(&item)).await?;
        Ok(entries)
    }

    fn add(&mut self, item: &Item) {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        let sk = text("sk");
        if !is_of_an_entry(sk) {
            return;
        }
        self.count += 1;
        match number(text("by_view")) {
            Some((view, number)) => self.views.entry(view).or_default().push((number, Fingerprint::of(item))),
            None => self.unreadable.push(sk.to_owned()),
        }
    }
}

fn is_of_an_entry(sk: &str) -> bool {
    matches!(sk.split('#').collect::<Vec<_>>()[..], ["ACTION", _, "ENTRY", _, _] | ["CONTRIBUTION", _, _, _, _])
}

/// The view and the number of an entry, which the key of its list has.
fn number(by_view: &str) -> Option<(View, u64)> {
    match by_view.split('#').collect::<Vec<_>>()[..] {
        ["ENTRY", view, _, number] => Some((View::parse(view)?, number.parse().ok()?)),
        _ => None,
    }
}

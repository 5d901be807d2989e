//! One account, read until what was seen is certain.

use std::collections::BTreeMap;

use portal::domain::{MemberNumber, View};
use portal::store::{Store, StoreError, whole_ledger};

use crate::digest::Head;
use crate::drift::Found;
use crate::posted::hold_guards;
use crate::reading::{Read, Reading};

/// How often an account is read before it is called busy: somebody posts to it all the time.
const MOST_READINGS: u32 = 10;

/// What became of an account.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) account: MemberNumber,
    /// Of the last reading.
    pub(crate) entries: u64,
    /// Certain, unless the account is busy.
    pub(crate) found: Found,
    /// Whether each reading saw another state, and none was without drift.
    pub(crate) busy: bool,
    /// The entries of each view, as a digest names them; true where nothing was found.
    pub(crate) heads: BTreeMap<View, Head>,
}

/// Holds an account's ledger against its entries.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn check(store: &Store, account: MemberNumber, page: Option<i32>) -> Result<Checked, StoreError> {
    let read = async || {
        let mut read = read(store, account.clone(), page).await?;
        let held = std::mem::take(&mut read.held);
        hold_guards(store, &held, &mut read.found).await?;
        std::mem::take(&mut read.marks).hold(store, &account, &mut read.found).await?;
        Ok(read)
    };
    let (Read { found, entries, heads, .. }, busy) = settled(read).await?;
    Ok(Checked { account, entries, found, busy, heads })
}

/// Reads until there is no drift, or two readings in a row saw the same.
///
/// A reading takes several pages, and a transaction may land between two of them: half of it is seen, and looks
/// like drift. What never goes back tells: entries are added and never removed, whatever else changes counts its
/// version up. So where two readings, one after the other, met the same items in the same versions, nothing of it
/// changed from where the first met it to where the second did: at the moment between them all of it was true
/// at once, and so is the drift. A version alone would not do, that of the totals least: a correction that
/// changes no sum adds two entries and leaves them as they are.
async fn settled<R>(mut read: impl FnMut() -> R) -> Result<(Read, bool), StoreError>
where
    R: Future<Output = Result<Read, StoreError>>,
{
    let mut last = read().await?;
    for _ in 1..MOST_READINGS {
        if last.found.count == 0 {
            return Ok((last, false));
        }
        let next = read().await?;
        if next.seen == last.seen {
            // The guards of the first were read in between, those of the second maybe after a posting.
            return Ok((last, false));
        }
        last = next;
    }
    let busy = last.found.count > 0;
    Ok((last, busy))
}

async fn read(store: &Store, account: MemberNumber, page: Option<i32>) -> Result<Read, StoreError> {
    let mut query = whole_ledger(&account);
    if let Some(items) = page {
        query = query.limit(items);
    }
    let mut reading = Reading::of(account);
    loop {
        let page = store.query_items(&query).await?;
        page.items.into_iter().for_each(|item| reading.take(item));
        if page.next.is_none() {
            return Ok(reading.end());
        }
        query = query.after(page.next);
    }
}

#[cfg(test)]
mod tests;

//! One account, read until what was seen is certain.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use portal::domain::{Identifier, MemberNumber, View};
use portal::store::{Awaited, AwaitedAction, AwaitedMember, Store, StoreError, whole_ledger, whole_waiting};

use crate::digest::Head;
use crate::drift::Found;
use crate::posted::hold_guards;
use crate::reading::{Read, Reading};
use crate::waits::Named;

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
    /// The actions that are in it, and awaited in another account.
    pub(crate) here: Vec<Identifier>,
}

/// Holds an account's ledger against its entries, at `now`.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn check(
    store: &Store,
    account: MemberNumber,
    page: Option<i32>,
    named: &Named,
    now: Timestamp,
) -> Result<Checked, StoreError> {
    let read = async || {
        let mut read = read(store, account.clone(), page, &named.actions, now).await?;
        let held = std::mem::take(&mut read.held);
        hold_guards(store, &held, &mut read.found).await?;
        std::mem::take(&mut read.marks).hold(store, &account, &mut read.found).await?;
        hold_awaited(store, &account, &named.awaited, &mut read).await?;
        Ok(read)
    };
    let (Read { found, entries, heads, here, .. }, busy) = settled(read).await?;
    Ok(Checked { account, entries, found, busy, heads, here })
}

/// Holds what waits in an account against what says so to all: read anew only where it is not what was read for all
/// accounts, because something may have come meanwhile.
async fn hold_awaited(
    store: &Store,
    account: &MemberNumber,
    awaited: &Awaited,
    read: &mut Read,
) -> Result<(), StoreError> {
    let records = |member: Option<&AwaitedMember>| member.map_or(0, |member| member.records);
    if records(awaited.members.get(account)) != read.for_account {
        let stored = records(store.get::<AwaitedMember>(&AwaitedMember::key_of(account)).await?.as_ref());
        if stored != read.for_account {
            let [stored, counted] = [stored, read.for_account].map(|records| Some(records.to_string()));
            read.found.add("AWAITED", "records", stored, counted);
        }
    }
    if awaited.actions.get(account).map_or(!read.awaited_actions.is_empty(), |known| *known != read.awaited_actions) {
        let stored = store.query_all::<AwaitedAction>(&AwaitedAction::of(account)).await?;
        let stored: BTreeSet<_> = stored.into_iter().map(|awaited| awaited.place.action_id).collect();
        for id in stored.symmetric_difference(&read.awaited_actions) {
            let present = |is: bool| is.then(|| "present".to_owned());
            let (is, shall) = (stored.contains(id), read.awaited_actions.contains(id));
            read.found.add(&format!("AWAITED_ACTIONS {id}"), "item", present(is), present(shall));
        }
    }
    Ok(())
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

async fn read(
    store: &Store,
    account: MemberNumber,
    page: Option<i32>,
    awaited: &HashMap<Identifier, BTreeSet<MemberNumber>>,
    now: Timestamp,
) -> Result<Read, StoreError> {
    let queries = [whole_ledger(&account), whole_waiting(&account)];
    let mut reading = Reading::of(account, awaited);
    for (query, take) in queries.into_iter().zip([Reading::take, Reading::take_waiting]) {
        let query = if let Some(items) = page { query.limit(items) } else { query };
        store.each_item(query, |item| take(&mut reading, item)).await?;
    }
    Ok(reading.end(now))
}

#[cfg(test)]
mod tests;

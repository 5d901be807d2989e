//! The ledger: actions, entries, their totals, and what makes posting safe to repeat.
//!
//! An [`Entry`] is written once and never changed. What else is here moves with the entries, in the same
//! transaction: the sums of its [`Action`], the [`Totals`] and [`Facets`] of its view, the [`Remittance`]
//! that paid it, and the [`Guard`] that remembers what was posted for a source key. So at every instant totals in the table equal the sum of the
//! entries; a read of several items may still meet a transaction by half, and has to add up. [`Pending`] keeps an entry whose action has not come yet,
//! [`WaitingRecord`] whatever names a member that has not.
//!
//! All but guards and what waits live in the partition of their member account, from which nothing is ever deleted. Each record that changes carries a
//! `version`, counted up with every write: writers compute what they write from what they read, and
//! commit only where nobody wrote in between.

mod account_totals;
mod action;
mod booked;
mod chain;
mod entry;
mod facets;
mod guard;
mod invoices;
mod likes;
mod marks;
mod measures;
mod misposted;
mod moved;
mod pending;
mod remittance;
mod remittance_line;
mod remittance_list;
mod sent;
mod totals;
mod version;
mod waiting;

pub use account_totals::{AccountTotals, ViewTotals};
pub use action::{Action, ActionState, Leaving, ListedAction};
pub use booked::Booked;
pub use chain::{Chain, Fingerprint};
pub use entry::{Entry, EntryFacts, EntryPosition, Reversed};
pub use facets::{Facet, Facets};
pub use guard::{ActionPlace, EntryPlace, Guard, KeyedRecord, Subject, Waits, Withdrawn};
pub use invoices::Invoices;
pub use likes::Likes;
pub use marks::{BatchLine, Became, Mark, Marks, Seen};
pub use measures::{ActionSums, Home, Measures, Month};
pub use misposted::{Misposted, MispostedRecords, ReadableEntry, ReadableLine};
pub use moved::{Moved, TransferPayee};
pub use pending::{AwaitedAction, Awaits, Pending};
pub use remittance::{References, Remittance, Share};
pub use remittance_line::RemittanceLine;
pub use remittance_list::{ListedRemittance, RemittanceRow};
pub use sent::{SentBatch, SourceSequence, UsedSequence};
pub use totals::{MonthSums, Totals};
pub use version::{ActionChange, ActionVersion};
pub use waiting::{AwaitedMember, WaitingContent, WaitingPlace, WaitingRecord, whole_waiting};

use jiff::civil::Date;

use super::record::from_item;
use super::{Query, Store, StoreError, Table};
use crate::domain::{Identifier, MemberNumber};

/// The partition of an account's ledger.
fn partition(number: &MemberNumber) -> String {
    format!("ACCOUNT#{number}")
}

/// All that the ledger keeps of an account, in the order of its sort keys: actions, each before its entries, then their
/// versions, contributions, facets, transfers, the totals of the account and of its views. What waits there has a partition of its own.
#[must_use]
pub fn whole_ledger(number: &MemberNumber) -> Query {
    Query::partition(Table::Ledger, partition(number))
}

/// The account whose partition a key names.
fn account_of(pk: &str) -> Result<MemberNumber, String> {
    let number = pk.strip_prefix("ACCOUNT#").ok_or("not the partition of an account")?;
    MemberNumber::parse(number).map_err(|refusal| refusal.en)
}

/// The keys that begin like this and go on with a day: from one day to another, both included, where they are given.
fn days(prefix: &str, from: Option<Date>, to: Option<Date>) -> (String, String) {
    let from = from.map_or_else(|| prefix.to_owned(), |day| format!("{prefix}{day}"));
    // `$` comes after `#`, which ends a day, and after no digit.
    let to = to.map_or_else(|| format!("{prefix}9999-12-31$"), |day| format!("{prefix}{day}$"));
    (from, to)
}

/// The pieces of a sort key, which `#` parts; a piece that may hold one is escaped.
fn pieces<const N: usize>(sk: &str) -> Result<[&str; N], String> {
    let (mut pieces, mut found) = ([""; N], sk.split('#'));
    let filled = pieces.iter_mut().all(|piece| found.next().map(|text| *piece = text).is_some());
    if filled && found.next().is_none() { Ok(pieces) } else { Err("a sort key of another kind".to_owned()) }
}

impl Store {
    /// An action with all its entries, in one query; `None` where the account has no such action.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn action_with_entries(
        &self,
        number: &MemberNumber,
        action_id: &Identifier,
    ) -> Result<Option<(Action, Vec<Entry>)>, StoreError> {
        let mut query = Query::partition(Table::Ledger, partition(number)).beginning(format!("ACTION#{action_id}#"));
        let page = self.query_items(&query).await?;
        let (mut items, mut next) = (page.items.into_iter(), page.next);
        // The action's own sort key is the shortest with this prefix, so it is the first.
        let Some(first) = items.next() else { return Ok(None) };
        let action: Action = from_item(first)?;
        if !action.is_here() {
            return Ok(None);
        }
        // Page by page, because an item takes several times the memory of its entry.
        let mut entries: Vec<Entry> = items.map(from_item).collect::<Result<_, _>>()?;
        while next.is_some() {
            query = query.after(next);
            let page = self.query::<Entry>(&query).await?;
            entries.extend(page.items);
            next = page.next;
        }
        Ok(Some((action, entries)))
    }
}

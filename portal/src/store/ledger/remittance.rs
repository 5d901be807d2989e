//! Remittances: what a bank transfer paid to, or for, an account.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::remittance_list::{ListedRemittance, RemittanceRow, Shown, order};
use super::{Entry, EntryFacts, Moved, account_of, partition, pieces};
use crate::domain::{Cents, Identifier, MemberNumber, Payee, RemittanceNumber, View};
use crate::store::record::from_item;
use crate::store::{Item, Key, Query, Record, Store, StoreError, Table};

/// The most that days and bank references take of an item, which holds 409,600 bytes: what else is in it is small.
const MOST_BYTES: usize = 200_000;

/// The most views that a transfer pays for. Each is an item that is written with every line: one that goes from one transfer
/// to another writes those of both, and a transaction has 100.
const MOST_VIEWS: usize = 40;

/// The most bytes that a view takes of its item: four numbers of 19 digits, a count, and the names.
const VIEW_BYTES: usize = 100;

/// A day as it is written, `2012-02-10`.
const DAY_BYTES: usize = 10;

/// A count in a map, at most: six bytes of number, and one for each name and value.
const COUNT_BYTES: usize = 8;

/// The number, the source and the view that a sort key names; the transfer's own item names no view.
pub(super) fn named(sk: &str) -> Result<(RemittanceNumber, Identifier, &str), String> {
    let ["REMITTANCE", number, source, view] = pieces(sk)? else {
        return Err("not the sort key of a remittance".to_owned());
    };
    let source = Identifier::parse(source).map_err(|refusal| refusal.en)?;
    Ok((RemittanceNumber::unescape(number).ok_or("a remittance of no number")?, source, view))
}

/// A transfer as its notice numbers it: the sum of the entries of one source that carry the number, corrections included. Two
/// systems number their notices each for itself, so the same number of another source is another transfer.
///
/// It moves with these entries, in their transaction. A transfer may pay for actions of several views: each
/// view lists it, with all that was sent and came back, and not with the view's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Remittance {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// The system that numbers it.
    pub source: Identifier,
    /// The number on its notice.
    pub number: RemittanceNumber,
    /// What it paid for each view. A view that all was moved out of stays, with nothing.
    pub views: BTreeMap<View, Share>,
    /// The days and bank references that its payments in force name.
    pub sent: References,
    /// Those that what came back of it names.
    pub returned: References,
    /// Counted up with each write.
    pub version: u64,
}

/// What a transfer paid for the actions of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What it sent and what came back of it.
    pub moved: Moved,
    /// The count of unreversed entries.
    pub entries: u32,
}

/// The days and bank references that lines of a transfer name, each with the count of lines in force that name it. A
/// correction may take any of them back, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// By day.
    pub days: BTreeMap<Date, u32>,
    /// By bank reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub banks: BTreeMap<String, u32>,
}

impl References {
    /// Tells whether no line in force is counted here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    fn count(&mut self, entry: &Entry) {
        let is_in_force = entry.reverses.is_none();
        count(&mut self.days, entry.facts.date, is_in_force);
        if let Some(bank) = &entry.facts.bank {
            count(&mut self.banks, bank.as_str().to_owned(), is_in_force);
        }
    }

    /// The bytes that a line of these facts would add.
    fn more_bytes(&self, facts: &EntryFacts) -> usize {
        let day = if self.days.contains_key(&facts.date) { 0 } else { DAY_BYTES + COUNT_BYTES };
        let bank = facts.bank.as_ref().map(|bank| bank.as_str()).filter(|bank| !self.banks.contains_key(*bank));
        day + bank.map_or(0, |bank| bank.len() + COUNT_BYTES)
    }

    fn bytes(&self) -> usize {
        let banks = self.banks.keys().map(|bank| bank.len() + COUNT_BYTES).sum::<usize>();
        self.days.len() * (DAY_BYTES + COUNT_BYTES) + banks
    }
}

/// Counts one up, or down, in a map that keeps nothing that no line names.
fn count<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K, up: bool) {
    let count = counts.get(&key).copied().unwrap_or_default();
    match if up { count.saturating_add(1) } else { count.saturating_sub(1) } {
        0 => counts.remove(&key),
        count => counts.insert(key, count),
    };
}

impl Remittance {
    /// A transfer of nothing yet.
    #[must_use]
    pub fn empty(member_number: MemberNumber, source: Identifier, number: RemittanceNumber) -> Self {
        let (sent, returned) = (References::default(), References::default());
        Self { member_number, source, number, views: BTreeMap::new(), sent, returned, version: 0 }
    }

    /// Where a transfer is stored.
    #[must_use]
    pub fn key_of(account: &MemberNumber, source: &Identifier, number: &RemittanceNumber) -> Key {
        Key::new(Table::Ledger, partition(account), format!("REMITTANCE#{}#{source}#", number.escaped()))
    }

    /// The items of all transfers with a number, or of the one that a source numbers so, and their rows.
    fn of_number(account: &MemberNumber, number: &RemittanceNumber, source: Option<&Identifier>) -> Query {
        let source = source.map_or_else(String::new, |source| format!("{source}#"));
        let prefix = format!("REMITTANCE#{}#{source}", number.escaped());
        Query::partition(Table::Ledger, partition(account)).beginning(prefix)
    }

    /// Counts an entry that came into force, or, where it is a reversal, the one that it takes out.
    pub fn count(&mut self, entry: &Entry) {
        let share = self.views.entry(entry.view).or_default();
        share.moved.count(&entry.facts, entry.reverses, entry.effect().paid);
        share.entries = match entry.reverses {
            None => share.entries.saturating_add(1),
            Some(_) => share.entries.saturating_sub(1),
        };
        let comes_back = entry.facts.moves_as(entry.reverses).comes_back();
        let named = if comes_back { &mut self.returned } else { &mut self.sent };
        named.count(entry);
    }

    /// Tells whether its items have room for a line of these facts in a view. A transfer has one day and one bank reference; a
    /// number that stands for many transfers, such as a placeholder on all that an account was ever paid, has thousands.
    #[must_use]
    pub fn has_room(&self, view: View, facts: &EntryFacts) -> bool {
        let named = if facts.kind.comes_back() { &self.returned } else { &self.sent };
        let more = named.more_bytes(facts);
        (more == 0 || self.sent.bytes() + self.returned.bytes() + more <= MOST_BYTES)
            && (self.views.contains_key(&view) || self.views.len() < MOST_VIEWS)
    }

    /// The bytes that its item has at most, without what has a constant size.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.sent.bytes() + self.returned.bytes() + self.views.len() * VIEW_BYTES
    }

    /// Tells whether its payments name more than one day or more than one bank reference: a bank's transfer has one of each.
    #[must_use]
    pub fn is_of_several(&self) -> bool {
        self.sent.days.len() > 1 || self.sent.banks.len() > 1
    }

    /// All that was sent and that came back, whatever the views that it pays for.
    #[must_use]
    pub fn moved(&self) -> Moved {
        self.views.values().fold(Moved::default(), |mut all, share| {
            all += share.moved;
            all
        })
    }

    /// The side that its payments went to; `None` where there are none, or some to each side.
    #[must_use]
    pub fn side(&self) -> Option<Payee> {
        let sent = self.moved().sent;
        match (sent.to_company == Cents::ZERO, sent.to_providers == Cents::ZERO) {
            (false, true) => Some(Payee::Company),
            (true, false) => Some(Payee::Provider),
            _ => None,
        }
    }

    /// How many unreversed entries it counts.
    #[must_use]
    pub fn unreversed(&self) -> u64 {
        self.views.values().map(|share| u64::from(share.entries)).sum()
    }

    /// The references that say its day and bank reference: those of its payments, else what came back.
    fn named(&self) -> &References {
        if self.sent.is_empty() { &self.returned } else { &self.sent }
    }

    /// The day of the transfer, the first where payments name several; `None` where nothing is left of it.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        self.named().days.keys().next().copied()
    }

    /// The line of the bank's statement, the first in the alphabet where payments name several.
    #[must_use]
    pub fn bank_reference(&self) -> Option<&str> {
        self.named().banks.keys().next().map(String::as_str)
    }

    /// The rows of the views that the transfer's own item does not list: all but the first.
    pub fn further_rows(&self) -> impl Iterator<Item = RemittanceRow> + '_ {
        self.views.keys().skip(1).map(|view| RemittanceRow {
            member_number: self.member_number.clone(),
            source: self.source.clone(),
            number: self.number.clone(),
            view: *view,
            shown: self.shown_in(*view),
            is_first: self.first_shown() == Some(*view),
        })
    }

    /// The first view that lists it. Its row is the one in the list of all views: what a transfer paid for its first
    /// view may have been moved out.
    fn first_shown(&self) -> Option<View> {
        self.views.iter().find(|(_, share)| share.entries > 0).map(|(view, _)| *view)
    }

    /// The row that the list of a view shows. A number under which nothing was sent is no transfer that a bank shows: what came back
    /// under it is in no list of transfers.
    fn shown_in(&self, view: View) -> Option<Shown> {
        self.views.get(&view).filter(|share| share.entries > 0 && !self.sent.is_empty())?;
        let (date, moved) = (self.date()?, self.moved());
        Some(Shown { date, moved, bank_reference: self.bank_reference().map(str::to_owned) })
    }

    /// Its row in the list of a view; `None` where the view does not list it.
    #[must_use]
    pub fn listed_in(&self, view: View) -> Option<ListedRemittance> {
        let Shown { date, moved, bank_reference } = self.shown_in(view)?;
        let (member_number, source, number) = (self.member_number.clone(), self.source.clone(), self.number.clone());
        Some(ListedRemittance { member_number, source, number, view, date, moved, bank_reference })
    }
}

impl Record for Remittance {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, &self.source, &self.number)
    }
}

impl Store {
    /// The transfers of an account with this number, of every source or of one.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn remittances_of_number(
        &self,
        account: &MemberNumber,
        number: &RemittanceNumber,
        source: Option<&Identifier>,
    ) -> Result<Vec<Remittance>, StoreError> {
        let items = self.query_all_items(&Remittance::of_number(account, number, source)).await?;
        // Rows of further views name them at the end of their keys.
        let is_row = |item: &Item| item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| !sk.ends_with('#'));
        items.into_iter().filter(|item| !is_row(item)).map(from_item).collect()
    }
}

/// The transfer's own item, which is also its row in the first view.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    /// `REMITTANCE#<view>#<date>#<number>`: the transfers of its first view by date.
    by_view: Option<String>,
    /// `REMITTANCE#<date>#<number>`: those of all views.
    #[serde(default)]
    by_scheme: Option<String>,
    shown: Option<Shown>,
    views: BTreeMap<String, Share>,
    #[serde(default, skip_serializing_if = "References::is_empty")]
    sent: References,
    #[serde(default, skip_serializing_if = "References::is_empty")]
    returned: References,
    version: u64,
}

impl TryFrom<Stored> for Remittance {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let (number, source, "") = named(&stored.sk)? else { return Err("a row of a remittance".to_owned()) };
        let share = |(view, share): (String, Share)| {
            Ok::<_, String>((View::parse(&view).ok_or("a remittance of no view")?, share))
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            source,
            number,
            views: stored.views.into_iter().map(share).collect::<Result<_, _>>()?,
            sent: stored.sent,
            returned: stored.returned,
            version: stored.version,
        })
    }
}

impl From<Remittance> for Stored {
    fn from(remittance: Remittance) -> Self {
        let Key { pk, sk, .. } = remittance.key();
        let first = remittance.views.keys().next().copied();
        let shown = first.and_then(|view| remittance.shown_in(view));
        Self {
            by_view: first.zip(shown.as_ref()).map(|(view, shown)| order(Some(view), shown.date, &remittance.number)),
            by_scheme: shown.as_ref().map(|shown| order(None, shown.date, &remittance.number)),
            pk,
            sk,
            shown,
            views: remittance.views.into_iter().map(|(view, share)| (view.to_string(), share)).collect(),
            sent: remittance.sent,
            returned: remittance.returned,
            version: remittance.version,
        }
    }
}

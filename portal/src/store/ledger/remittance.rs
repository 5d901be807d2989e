//! Remittances: what a bank transfer paid to, or for, an account.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Entry, EntryFacts, EntryPlace, Moved, Reversed, account_of, days, partition, pieces};
use crate::domain::{Cents, Id, Identifier, MemberNumber, Payee, RemittanceNumber, View};
use crate::store::{Item, Key, Query, Record, Table};

/// Half of what an item of DynamoDB holds: the rest is for what waits for its action, or moves in with it.
const FULL_BYTES: usize = 200_000;

/// A day as it is written, `2012-02-10`.
const DAY_BYTES: usize = 10;

/// Why an item cannot be read.
const NO_NUMBER: &str = "a remittance of no number";

/// A count in a map, at most: four bytes of number, and DynamoDB's own byte for each name and value.
const COUNT_BYTES: usize = 6;

/// A transfer as its notice numbers it: the sum of the entries that carry the number, corrections included.
///
/// It moves with these entries, in their transaction. A transfer may pay for actions of several views: each
/// view lists it, with all that was sent and came back, and not with the view's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Remittance {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// The number on its notice.
    pub number: RemittanceNumber,
    /// What it paid for each view. A view that all was moved out of stays, with nothing.
    pub views: BTreeMap<View, Share>,
    /// How many unreversed entries name which bank reference.
    pub banks: BTreeMap<String, u32>,
    /// Counted up with each write.
    pub version: u64,
}

/// What a transfer paid for the actions of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What it sent and what came back of it.
    pub moved: Moved,
    /// How many unreversed entries there are of each day.
    pub days: BTreeMap<Date, u32>,
}

impl Remittance {
    /// A transfer of nothing yet.
    #[must_use]
    pub fn empty(member_number: MemberNumber, number: RemittanceNumber) -> Self {
        Self { member_number, number, views: BTreeMap::new(), banks: BTreeMap::new(), version: 0 }
    }

    /// Where a transfer is stored.
    #[must_use]
    pub fn key_of(account: &MemberNumber, number: &RemittanceNumber) -> Key {
        Key::new(Table::Ledger, partition(account), format!("REMITTANCE#{}#", number.escaped()))
    }

    /// The entries that carry a number, oldest day first and within a day as booked.
    #[must_use]
    pub fn lines(account: &MemberNumber, number: &RemittanceNumber) -> Query {
        let lines = format!("LINE#{}#", number.escaped());
        Query::partition(Table::Ledger, partition(account)).local_index("by_remittance").beginning(lines)
    }

    /// Counts an entry that came into force, or, where it is a reversal, the one that it takes out.
    pub fn count(&mut self, entry: &Entry) {
        let count = |number: &mut u32| {
            let counted = if entry.reverses.is_none() { number.checked_add(1) } else { number.checked_sub(1) };
            *number = counted.unwrap_or(*number);
            *number > 0
        };
        let share = self.views.entry(entry.view).or_default();
        share.moved.count(&entry.facts, entry.reverses, entry.effect().paid);
        if !count(share.days.entry(entry.facts.date).or_default()) {
            share.days.remove(&entry.facts.date);
        }
        if let Some(bank) = &entry.facts.bank
            && !count(self.banks.entry(bank.as_str().to_owned()).or_default())
        {
            self.banks.remove(bank.as_str());
        }
    }

    /// Whether its item has room for a line of these facts. A transfer has one day and one bank reference; a number that
    /// stands for many transfers, such as a placeholder on all that an account was ever paid, has thousands.
    #[must_use]
    pub fn has_room(&self, facts: &EntryFacts) -> bool {
        let knows_day = self.views.values().any(|share| share.days.contains_key(&facts.date));
        let knows_bank = facts.bank.as_ref().is_none_or(|bank| self.banks.contains_key(bank.as_str()));
        knows_day && knows_bank || self.counted_bytes() <= FULL_BYTES
    }

    /// What days and bank references take of its item.
    fn counted_bytes(&self) -> usize {
        let days = self.views.values().map(|share| share.days.len()).sum::<usize>();
        let banks = self.banks.keys().map(|bank| bank.len() + COUNT_BYTES).sum::<usize>();
        days * (DAY_BYTES + COUNT_BYTES) + banks
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
        self.views.values().flat_map(|share| share.days.values()).map(|count| u64::from(*count)).sum()
    }

    /// The day of the transfer, its first where entries name several; `None` where nothing is left of it.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        self.views.values().filter_map(|share| share.days.keys().next()).min().copied()
    }

    /// The line of the bank's statement, the first in the alphabet where entries name several.
    #[must_use]
    pub fn bank_reference(&self) -> Option<&str> {
        self.banks.keys().next().map(String::as_str)
    }

    /// The rows of the views that the transfer's own item does not list: all but the first.
    pub fn further_rows(&self) -> impl Iterator<Item = RemittanceRow> + '_ {
        self.views.keys().skip(1).map(|view| RemittanceRow {
            member_number: self.member_number.clone(),
            number: self.number.clone(),
            view: *view,
            shown: self.shown_in(*view),
            is_first: self.first_shown() == Some(*view),
        })
    }

    /// The first view that lists it. Its row is the one in the list of all views: what a transfer paid for its first
    /// view may have been moved out.
    fn first_shown(&self) -> Option<View> {
        self.views.iter().find(|(_, share)| !share.days.is_empty()).map(|(view, _)| *view)
    }

    fn shown_in(&self, view: View) -> Option<Shown> {
        self.views.get(&view).filter(|share| !share.days.is_empty())?;
        let (date, moved) = (self.date()?, self.moved());
        Some(Shown { date, moved, bank_reference: self.bank_reference().map(str::to_owned) })
    }
}

impl Record for Remittance {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, &self.number)
    }
}

/// A transfer in the list of a view that is not its first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRow", into = "StoredRow")]
pub struct RemittanceRow {
    member_number: MemberNumber,
    number: RemittanceNumber,
    view: View,
    /// Nothing where the view lists it no longer.
    shown: Option<Shown>,
    /// Whether the list of all views has it from here.
    is_first: bool,
}

impl Record for RemittanceRow {
    fn key(&self) -> Key {
        let Key { table, pk, sk } = Remittance::key_of(&self.member_number, &self.number);
        Key { table, pk, sk: format!("{sk}{}", self.view) }
    }
}

/// A transfer as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRow", into = "StoredRow")]
pub struct ListedRemittance {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// The number on its notice.
    pub number: RemittanceNumber,
    /// The view that lists it.
    pub view: View,
    /// Its day.
    pub date: Date,
    /// All that was sent and that came back, whatever the views that it pays for.
    pub moved: Moved,
    /// The line of the bank's statement.
    pub bank_reference: Option<String>,
}

impl ListedRemittance {
    /// The transfers that pay for actions of a view, or those of all views, each once; latest day first, from one day to
    /// another where they are given.
    #[must_use]
    pub fn list(account: &MemberNumber, view: Option<View>, from: Option<Date>, to: Option<Date>) -> Query {
        let (index, prefix) = index_of(view);
        let (from, to) = days(&prefix, from, to);
        Query::partition(Table::Ledger, partition(account)).local_index(index).between(from, to).newest_first()
    }

    /// The place of a transfer in such a list, for the list to go on after it.
    #[must_use]
    pub fn place(account: &MemberNumber, view: Option<View>, date: Date, number: &RemittanceNumber) -> Item {
        // Whichever item lists it: of all with this key of the index the transfer's own sorts first, so in a
        // descending list everything else comes before this place.
        let mut place = Remittance::key_of(account, number).attributes();
        place.insert(index_of(view).0.to_owned(), AttributeValue::S(order(view, date, number)));
        place
    }
}

impl Record for ListedRemittance {
    fn key(&self) -> Key {
        Remittance::key_of(&self.member_number, &self.number)
    }
}

/// What a transfer paid, or what came back of it: an entry as its index carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredLine", into = "StoredLine")]
pub struct RemittanceLine {
    /// Where the entry is.
    pub place: EntryPlace,
    /// The entry.
    pub entry_id: Id,
    /// The action that it paid for.
    pub action_id: Identifier,
    /// The view of that action.
    pub view: View,
    /// Its number among the postings of that view.
    pub posting: u64,
    /// The title of that action when the entry was posted.
    pub title: String,
    /// What the fund says of it.
    pub facts: EntryFacts,
    /// The system that sent the entry.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Of a reversal, what it reverses.
    pub reverses: Option<Reversed>,
    /// The side that it counts on.
    pub payee: Payee,
}

impl RemittanceLine {
    /// Paid, or less than nothing where it came back.
    #[must_use]
    pub fn paid(&self) -> Cents {
        Entry::effect_of(&self.facts, self.reverses, self.payee).paid.total()
    }
}

impl Record for RemittanceLine {
    fn key(&self) -> Key {
        self.place.key()
    }
}

/// What the index carries of an entry.
#[derive(Clone, Serialize, Deserialize)]
struct StoredLine {
    pk: String,
    sk: String,
    by_view: String,
    facts: EntryFacts,
    source: Identifier,
    source_key: Identifier,
    reverses: Option<Reversed>,
    came_back_from: Option<Payee>,
    title: Option<String>,
}

impl TryFrom<StoredLine> for RemittanceLine {
    type Error = String;

    fn try_from(stored: StoredLine) -> Result<Self, String> {
        let ["ENTRY", view, _, posting] = pieces(&stored.by_view)? else {
            return Err("not the index key of an entry".to_owned());
        };
        let ["ACTION", action_id, "ENTRY", _, entry_id] = pieces(&stored.sk)? else {
            return Err("a transfer pays for actions".to_owned());
        };
        Ok(Self {
            entry_id: Id::parse(entry_id).ok_or("an entry without an id")?,
            action_id: Identifier::parse(action_id).map_err(|refusal| refusal.en)?,
            view: View::parse(view).ok_or("an entry without a view")?,
            posting: posting.parse().map_err(|_| "an entry without a number")?,
            place: EntryPlace { account: account_of(&stored.pk)?, sk: stored.sk },
            title: stored.title.unwrap_or_default(),
            payee: stored.facts.side(stored.reverses, stored.came_back_from),
            facts: stored.facts,
            source: stored.source,
            source_key: stored.source_key,
            reverses: stored.reverses,
        })
    }
}

impl From<RemittanceLine> for StoredLine {
    fn from(line: RemittanceLine) -> Self {
        let Key { pk, sk, .. } = line.key();
        let by_view = format!("ENTRY#{}#{}#{:010}", line.view, line.facts.date, line.posting);
        let came_back_from = Some(line.payee);
        let (source, source_key, title) = (line.source, line.source_key, Some(line.title));
        let (facts, reverses) = (line.facts, line.reverses);
        Self { pk, sk, by_view, facts, source, source_key, reverses, came_back_from, title }
    }
}

/// The index that serves a list of transfers, and how its keys begin. Of all views it is that of an action's scheme,
/// which transfers leave free; only one of a transfer's items is in it.
fn index_of(view: Option<View>) -> (&'static str, String) {
    match view {
        Some(view) => ("by_view", format!("REMITTANCE#{view}#")),
        None => ("by_scheme", "REMITTANCE#".to_owned()),
    }
}

fn order(view: Option<View>, date: Date, number: &RemittanceNumber) -> String {
    format!("{}{date}#{}", index_of(view).1, number.escaped())
}

/// What a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    date: Date,
    moved: Moved,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
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
    banks: BTreeMap<String, u32>,
    version: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredRow {
    pk: String,
    sk: String,
    by_view: Option<String>,
    #[serde(default)]
    by_scheme: Option<String>,
    shown: Option<Shown>,
}

impl TryFrom<Stored> for Remittance {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let ["REMITTANCE", number, ""] = pieces(&stored.sk)? else {
            return Err("not the sort key of a remittance".to_owned());
        };
        let share = |(view, share): (String, Share)| {
            Ok::<_, String>((View::parse(&view).ok_or("a remittance of no view")?, share))
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            number: RemittanceNumber::unescape(number).ok_or(NO_NUMBER)?,
            views: stored.views.into_iter().map(share).collect::<Result<_, _>>()?,
            banks: stored.banks,
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
            banks: remittance.banks,
            version: remittance.version,
        }
    }
}

impl TryFrom<StoredRow> for RemittanceRow {
    type Error = String;

    fn try_from(stored: StoredRow) -> Result<Self, String> {
        let ["REMITTANCE", number, view] = pieces(&stored.sk)? else {
            return Err("not the sort key of a remittance's row".to_owned());
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            number: RemittanceNumber::unescape(number).ok_or(NO_NUMBER)?,
            view: View::parse(view).ok_or("a row of no view")?,
            shown: stored.shown,
            is_first: stored.by_scheme.is_some(),
        })
    }
}

impl From<RemittanceRow> for StoredRow {
    fn from(row: RemittanceRow) -> Self {
        let Key { pk, sk, .. } = row.key();
        let by_view = row.shown.as_ref().map(|shown| order(Some(row.view), shown.date, &row.number));
        let by_scheme = row.shown.as_ref().filter(|_| row.is_first);
        let by_scheme = by_scheme.map(|shown| order(None, shown.date, &row.number));
        Self { pk, sk, by_view, by_scheme, shown: row.shown }
    }
}

impl TryFrom<StoredRow> for ListedRemittance {
    type Error = String;

    fn try_from(stored: StoredRow) -> Result<Self, String> {
        let by_view = stored.by_view.ok_or("a listed remittance without its place")?;
        let ["REMITTANCE", view, _, number] = pieces(&by_view)? else {
            return Err("not the index key of a remittance".to_owned());
        };
        let shown = stored.shown.ok_or("a listed remittance that shows nothing")?;
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            number: RemittanceNumber::unescape(number).ok_or(NO_NUMBER)?,
            view: View::parse(view).ok_or("a remittance of no view")?,
            date: shown.date,
            moved: shown.moved,
            bank_reference: shown.bank_reference,
        })
    }
}

impl From<ListedRemittance> for StoredRow {
    fn from(line: ListedRemittance) -> Self {
        let Key { pk, sk, .. } = line.key();
        let by_view = Some(order(Some(line.view), line.date, &line.number));
        let shown = Shown { date: line.date, moved: line.moved, bank_reference: line.bank_reference };
        // Only read, from either index.
        Self { pk, sk, by_view, by_scheme: None, shown: Some(shown) }
    }
}

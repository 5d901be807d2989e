//! Lists of transfers.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::remittance::named;
use super::{Moved, Remittance, account_of, days, partition, pieces};
use crate::domain::{Identifier, MemberNumber, RemittanceNumber, View};
use crate::store::{Item, Key, Query, Record, Table};

/// A transfer in the list of a view that is not its first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRow", into = "StoredRow")]
pub struct RemittanceRow {
    pub(super) member_number: MemberNumber,
    pub(super) source: Identifier,
    pub(super) number: RemittanceNumber,
    pub(super) view: View,
    /// Nothing where the view lists it no longer.
    pub(super) shown: Option<Shown>,
    /// True where the list of all views has it from here.
    pub(super) is_first: bool,
}

impl Record for RemittanceRow {
    fn key(&self) -> Key {
        let Key { table, pk, sk } = Remittance::key_of(&self.member_number, &self.source, &self.number);
        Key { table, pk, sk: format!("{sk}{}", self.view) }
    }
}

/// A transfer as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredRow", into = "StoredRow")]
pub struct ListedRemittance {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// The system that numbers it.
    pub source: Identifier,
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
    pub fn place(
        account: &MemberNumber,
        view: Option<View>,
        date: Date,
        source: &Identifier,
        number: &RemittanceNumber,
    ) -> Item {
        // Whichever item lists it: of all its items with this key of the index the transfer's own sorts first, so in a
        // descending list every other one comes before this place.
        let mut place = Remittance::key_of(account, source, number).attributes();
        place.insert(index_of(view).0.to_owned(), AttributeValue::S(order(view, date, number)));
        place
    }
}

impl Record for ListedRemittance {
    fn key(&self) -> Key {
        Remittance::key_of(&self.member_number, &self.source, &self.number)
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

pub(super) fn order(view: Option<View>, date: Date, number: &RemittanceNumber) -> String {
    format!("{}{date}#{}", index_of(view).1, number.escaped())
}

/// A transfer as a row shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) date: Date,
    pub(super) moved: Moved,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bank_reference: Option<String>,
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

impl TryFrom<StoredRow> for RemittanceRow {
    type Error = String;

    fn try_from(stored: StoredRow) -> Result<Self, String> {
        let (number, source, view) = named(&stored.sk)?;
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            source,
            number,
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
        let ["REMITTANCE", view, _, _] = pieces(&by_view)? else {
            return Err("not the index key of a remittance".to_owned());
        };
        let (number, source, _) = named(&stored.sk)?;
        let shown = stored.shown.ok_or("a listed remittance that shows nothing")?;
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            source,
            number,
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

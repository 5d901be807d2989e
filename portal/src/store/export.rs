//! Exports: files of a ledger that are made in the background.
//!
//! A new item starts `write-export` through the table's stream. It lies under the user who asked, so that nobody
//! else finds it, and goes with them. Beside it lies what an account has under way, which limits how much of that
//! there is at once.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, Query, Record, StoreError, Table, Transaction};
use crate::domain::{Id, MemberNumber, View};

/// What a ledger is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values, with semicolons.
    Csv,
    /// An Excel workbook.
    Xlsx,
}

impl ExportFormat {
    /// Reads `csv` or `xlsx`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Csv, Self::Xlsx].into_iter().find(|format| format.ending() == text)
    }

    /// What the file's name ends with.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// A list that can be had as a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportedList {
    /// Entries.
    #[default]
    Ledger,
    /// Training actions.
    Actions,
    /// Contributions.
    Contributions,
    /// Transfers.
    Remittances,
}

impl ExportedList {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ledger, Self::Actions, Self::Contributions, Self::Remittances];

    /// The name, which is that of its path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Actions => "actions",
            Self::Contributions => "contributions",
            Self::Remittances => "remittances",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == text)
    }
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportState {
    /// Being written, or about to be.
    Preparing,
    /// The file is there.
    Ready,
    /// It was given up.
    Failed,
}

/// An export that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Which it is.
    pub export_id: Id,
    /// Who asked.
    pub user_id: Id,
    /// Whose ledger.
    pub member_number: MemberNumber,
    /// Which list of it.
    #[serde(default)]
    pub list: ExportedList,
    /// The view; all of them where there is none.
    pub view: Option<View>,
    /// What else it is filtered by: the parameters of the list, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filter: BTreeMap<String, String>,
    /// As what. An item of before there were filters has it as `format`; who knows of no filter finds none here, and writes
    /// no file of more than was asked for.
    #[serde(rename = "written_as", alias = "format")]
    pub format: ExportFormat,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
    /// How far it is, as it was written down; [`Export::state`] knows the time too.
    pub written: ExportState,
    /// How often it was begun.
    pub attempts: u32,
    /// What the file has, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ExportSize>,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

/// What a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSize {
    /// Rows, without headings.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Export {
    /// How long it can be had; the bucket keeps the file no less.
    pub const KEPT: Duration = Duration::from_secs(24 * 3600);
    /// An export that is not ready after so long never will be: three attempts of a quarter of an hour each, and
    /// the pauses between them.
    pub const LONGEST: Duration = Duration::from_secs(3600);
    /// How often it is begun at most.
    pub const MOST_ATTEMPTS: u32 = 3;

    /// Where an export is stored.
    #[must_use]
    pub fn key_of(user_id: Id, export_id: Id) -> Key {
        Key::new(Table::Identity, format!("USER#{user_id}"), format!("EXPORT#{export_id}"))
    }

    /// All exports that a user asked for, over or not.
    #[must_use]
    pub fn all_of(user_id: Id) -> Query {
        Query::partition(Table::Identity, format!("USER#{user_id}")).beginning("EXPORT#")
    }

    /// The key of an export that a stream record names.
    #[must_use]
    pub fn key_from(pk: &str, sk: &str) -> Option<Key> {
        let user_id = Id::parse(pk.strip_prefix("USER#")?)?;
        Some(Self::key_of(user_id, Id::parse(sk.strip_prefix("EXPORT#")?)?))
    }

    /// All that it is filtered by, as the parameters of the list, by name.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let view = self.view.map(|view| ("view".to_owned(), view.to_string()));
        self.filter.clone().into_iter().chain(view).collect()
    }

    /// Until when it can be had.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.requested_at + Self::KEPT
    }

    /// The key of its object in the bucket: nothing that says whose it is.
    #[must_use]
    pub fn object_key(&self) -> String {
        format!("ledgers/{}.{}", self.export_id, self.format.ending())
    }

    /// How far it is now; `None` where it is over.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> Option<ExportState> {
        if now >= self.kept_until() {
            return None;
        }
        let overdue = self.written == ExportState::Preparing && now >= self.requested_at + Self::LONGEST;
        Some(if overdue { ExportState::Failed } else { self.written })
    }
}

impl Record for Export {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, self.export_id)
    }
}

/// What an account has under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportsUnderWay {
    /// Whose ledger.
    pub member_number: MemberNumber,
    /// Which exports, oldest first.
    pub exports: Vec<UnderWay>,
    /// Counted up with each write.
    pub version: u64,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

/// An export that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// Which.
    pub export_id: Id,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
}

impl ExportsUnderWay {
    /// How many exports of an account may be under way at once: both formats, and one that somebody else asks for.
    pub const MOST: usize = 3;

    /// Where they are stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Identity, format!("ACCOUNT#{number}"), "EXPORTS")
    }

    /// An account that has none.
    #[must_use]
    pub fn none(member_number: MemberNumber) -> Self {
        Self { member_number, exports: Vec::new(), version: 0, ttl: 0 }
    }

    /// Lets one more begin.
    ///
    /// # Errors
    /// How long to wait, at most, where there are too many.
    pub fn begin(&mut self, export_id: Id, now: Timestamp) -> Result<(), Duration> {
        self.forget_overdue(now);
        if self.exports.len() >= Self::MOST {
            let oldest = self.exports.iter().map(|export| export.requested_at).min().unwrap_or(now);
            return Err((oldest + Export::LONGEST).duration_since(now).unsigned_abs());
        }
        self.exports.push(UnderWay { export_id, requested_at: now });
        Ok(())
    }

    /// One is done with.
    pub fn end(&mut self, export_id: Id, now: Timestamp) {
        self.forget_overdue(now);
        self.exports.retain(|export| export.export_id != export_id);
    }

    /// Writes them over what was read.
    ///
    /// # Errors
    /// Where the item cannot be built.
    pub fn write(mut self, now: Timestamp, transaction: &mut Transaction) -> Result<super::Step, StoreError> {
        let unchanged = if self.version == 0 { Condition::Absent } else { Condition::is("version", &self.version)? };
        self.version += 1;
        self.ttl = (now + Export::KEPT).as_second();
        transaction.put(&self, Some(unchanged))
    }

    fn forget_overdue(&mut self, now: Timestamp) {
        self.exports.retain(|export| now < export.requested_at + Export::LONGEST);
    }
}

impl Record for ExportsUnderWay {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_three_exports_under_way_until_one_ends_or_is_overdue() {
        let start: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let id = |n: u8| Id::from_bytes([n; 16]);
        let mut under_way = ExportsUnderWay::none(MemberNumber::parse("012345").unwrap());
        for n in 0..3 {
            under_way.begin(id(n), start + Duration::from_secs(n.into())).unwrap();
        }
        let wait = under_way.begin(id(3), start + Duration::from_secs(600)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(3000));
        under_way.end(id(1), start);
        under_way.begin(id(3), start + Duration::from_secs(600)).unwrap();
        assert!(under_way.begin(id(4), start + Duration::from_secs(3599)).is_err());
        under_way.begin(id(4), start + Duration::from_secs(3600)).unwrap();
    }

    #[test]
    fn an_export_is_given_up_after_an_hour_and_over_after_a_day() {
        let requested_at: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let export = |written| Export {
            export_id: Id::from_bytes([1; 16]),
            user_id: Id::from_bytes([2; 16]),
            member_number: MemberNumber::parse("012345").unwrap(),
            list: ExportedList::Ledger,
            view: None,
            filter: BTreeMap::new(),
            format: ExportFormat::Csv,
            requested_at,
            written,
            attempts: 0,
            size: None,
            ttl: 0,
        };
        let after = |seconds| requested_at + Duration::from_secs(seconds);
        let preparing = export(ExportState::Preparing);
        assert_eq!(preparing.state(after(3599)), Some(ExportState::Preparing));
        assert_eq!(preparing.state(after(3600)), Some(ExportState::Failed));
        let ready = export(ExportState::Ready);
        assert_eq!(ready.state(after(86_399)), Some(ExportState::Ready));
        assert_eq!(ready.state(after(86_400)), None);
        let Key { pk, sk, .. } = ready.key();
        assert_eq!(Export::key_from(&pk, &sk), Some(ready.key()));
        assert_eq!(Export::key_from(&pk, "SESSION#01010101010101010101010101010101"), None);
    }

    /// An export that was asked for before there were filters is still written and found; and who knows of none does not
    /// read one that may have some.
    #[test]
    fn an_item_of_before_there_were_filters_is_read_and_none_of_now_is_read_as_one() {
        let id = "01".repeat(16);
        let mut item = serde_json::json!({"export_id": id, "user_id": id, "member_number": "012345", "view": 2011,
            "format": "csv", "requested_at": 1_000, "written": "preparing", "attempts": 0, "ttl": 0});
        let export: Export = serde_json::from_value(item.take()).unwrap();
        assert_eq!((export.list, export.format), (ExportedList::Ledger, ExportFormat::Csv));
        assert_eq!(export.parameters(), BTreeMap::from([("view".to_owned(), "2011".to_owned())]));
        assert_eq!(serde_json::to_value(&export).unwrap()["format"], serde_json::Value::Null);
    }
}

//! Entries that were posted to an account by mistake: their record moved to another account, which alone reads its texts.
//!
//! An entry is never changed. So an account keeps a mark of each record that left it, and readers get entries and lines
//! through [`MispostedRecords`], which takes the texts out. The API, the files and the statement show [`ReadableEntry`] and
//! [`ReadableLine`] alone.

use std::collections::HashSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{Entry, EntryFacts, RemittanceLine, account_of, partition, pieces};
use crate::domain::{Identifier, MemberNumber};
use crate::store::{Key, Query, Record, Store, StoreError, Table};

/// The label and the title that members read in place of the fund's.
const LABEL: &str = "Imputé par erreur";

/// The mark of a record that an account had and that another account has since; or that an account has such marks, which is
/// read with each page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Misposted {
    /// The account that the record left.
    pub member_number: MemberNumber,
    /// The system that sends the record, and its key there. `None` says that there are marks.
    pub record: Option<(Identifier, Identifier)>,
    /// True where the account has the record again. A mark is never deleted, because nothing in the partition of an account is.
    pub is_back: bool,
}

impl Misposted {
    /// The key of a record's mark.
    #[must_use]
    pub fn key_of(number: &MemberNumber, source: &Identifier, source_key: &Identifier) -> Key {
        Key::new(Table::Ledger, partition(number), format!("MISPOSTED#{source}#{source_key}"))
    }

    /// The key of what says that an account has marks.
    #[must_use]
    pub fn key_of_any(number: &MemberNumber) -> Key {
        Key::new(Table::Ledger, partition(number), "MISPOSTED#")
    }

    fn all(number: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning("MISPOSTED#")
    }
}

impl Record for Misposted {
    fn key(&self) -> Key {
        match &self.record {
            Some((source, source_key)) => Self::key_of(&self.member_number, source, source_key),
            None => Self::key_of_any(&self.member_number),
        }
    }
}

/// The item: little but its key, because a reader of the account reads all of them.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    back: bool,
}

impl TryFrom<Stored> for Misposted {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let member_number = account_of(&stored.pk)?;
        if stored.sk == "MISPOSTED#" {
            return Ok(Self { member_number, record: None, is_back: false });
        }
        let ["MISPOSTED", source, source_key] = pieces(&stored.sk)? else {
            return Err("not the sort key of a mark".to_owned());
        };
        let identifier = |text| Identifier::parse(text).map_err(|refusal| refusal.en);
        Ok(Self { member_number, record: Some((identifier(source)?, identifier(source_key)?)), is_back: stored.back })
    }
}

impl From<Misposted> for Stored {
    fn from(misposted: Misposted) -> Self {
        let Key { pk, sk, .. } = misposted.key();
        Self { pk, sk, back: misposted.is_back }
    }
}

/// The records that left an account. Most accounts have none.
#[derive(Debug, Clone)]
pub struct MispostedRecords(HashSet<(Identifier, Identifier)>);

impl MispostedRecords {
    /// The records that these marks name.
    pub fn of(marks: impl IntoIterator<Item = Misposted>) -> Self {
        Self(marks.into_iter().filter(|mark| !mark.is_back).filter_map(|mark| mark.record).collect())
    }

    /// An entry as members read it: of one whose record left the account the figures, the day and that it was a mistake.
    #[must_use]
    pub fn readable(&self, mut entry: Entry) -> ReadableEntry {
        let is_withheld = self.have(&entry.source, &entry.source_key);
        if is_withheld {
            // What it moves stays as it is, which side it moves as well.
            entry.came_back_from = Some(entry.facts.side(entry.reverses, entry.came_back_from));
            withhold(&mut entry.facts);
            (entry.title, entry.action_id, entry.scheme) = (None, None, None);
        }
        ReadableEntry { entry, is_withheld }
    }

    /// A line of a transfer as members read it, by the same rule.
    #[must_use]
    pub fn readable_line(&self, mut line: RemittanceLine) -> ReadableLine {
        let is_withheld = self.have(&line.source, &line.source_key);
        if is_withheld {
            withhold(&mut line.facts);
            LABEL.clone_into(&mut line.title);
        }
        ReadableLine { line, is_withheld }
    }

    fn have(&self, source: &Identifier, source_key: &Identifier) -> bool {
        !self.0.is_empty() && self.0.contains(&(source.clone(), source_key.clone()))
    }
}

/// Takes out what the fund says but for figures and days.
fn withhold(facts: &mut EntryFacts) {
    let EntryFacts { kind: _, cost_kind, payee, amount: _, date: _, year: _, remittance, bank, invoice, label } = facts;
    (*cost_kind, *payee, *remittance, *bank, *invoice) = (None, None, None, None, None);
    LABEL.clone_into(label);
}

/// An entry as members of its account read it.
#[derive(Debug, Clone)]
pub struct ReadableEntry {
    entry: Entry,
    is_withheld: bool,
}

impl ReadableEntry {
    /// Returns true where its texts are another account's.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// The entry, without the texts that are another account's.
    #[must_use]
    pub fn into_entry(self) -> Entry {
        self.entry
    }
}

impl Deref for ReadableEntry {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.entry
    }
}

/// A line of a transfer as members of the account read it.
#[derive(Debug, Clone)]
pub struct ReadableLine {
    line: RemittanceLine,
    is_withheld: bool,
}

impl ReadableLine {
    /// Returns true where its texts are another account's.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// The action that it paid for, where that is of this account.
    #[must_use]
    pub fn action_id(&self) -> Option<&Identifier> {
        (!self.is_withheld).then_some(&self.line.action_id)
    }
}

impl Deref for ReadableLine {
    type Target = RemittanceLine;

    fn deref(&self) -> &RemittanceLine {
        &self.line
    }
}

impl Store {
    /// The records that left an account, where `mark` says that there are any.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn misposted_where(
        &self,
        number: &MemberNumber,
        mark: Option<Misposted>,
    ) -> Result<MispostedRecords, StoreError> {
        match mark {
            Some(_) => self.misposted(number).await,
            None => Ok(MispostedRecords::of([])),
        }
    }

    /// The records that left an account.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn misposted(&self, number: &MemberNumber) -> Result<MispostedRecords, StoreError> {
        Ok(MispostedRecords::of(self.query_all::<Misposted>(&Misposted::all(number)).await?))
    }
}

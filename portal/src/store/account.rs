//! Member accounts, establishments, and who may read what.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::record::from_item;
use super::{
    AccessRequest, Change, ClaimBar, Claims, Condition, Contested, Key, Query, Record, Release, Store, StoreError,
    Table,
};
use crate::domain::{Civility, Id, MemberNumber, PersonName, Siret};

/// A member account as the fund's file has it, and its manager's answer to « Souhaitez-vous utiliser le
/// compte adhérent ? ».
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub member_number: MemberNumber,
    /// Its establishment.
    pub siret: Siret,
    /// The SIRETs that it had before, the oldest first: who was of one of them and leaves it leaves the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sirets_before: Vec<Siret>,
    /// The establishment's name.
    pub name: String,
    /// How many work there, in the fund's words.
    pub headcount_band: Option<String>,
    /// Whom the fund writes to.
    pub contact_email: Option<String>,
    /// Since when it is a member.
    pub opened_on: Date,
    /// The day from which on it is none any more, which may lie ahead: reading stays, claims and grants end.
    pub closed_on: Option<Date>,
    /// The version of the fund's record.
    pub version: u64,
    /// SHA-256 of the fund's record, to tell a repeat from a conflict.
    pub content_hash: String,
    /// The instant at which that version was booked.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub booked_at: Timestamp,
    /// Whether the manager said OUI (leaflet S57).
    pub active: bool,
    /// What was known of its claims when, closed, it had no SIRET that is not another account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
}

/// What outlives a manager, while the account has no establishment's item to stand on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// As [`Establishment::contested`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
    /// As [`Establishment::release`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// As [`Establishment::claims`].
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
}

impl Account {
    /// Whether it is open to claims and grants on this day of the fund.
    #[must_use]
    pub fn is_open(&self, today: Date) -> bool {
        self.closed_on.is_none_or(|day| today < day)
    }

    /// Where an account is stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Members, partition(number), "ACCOUNT")
    }
}

impl Record for Account {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

/// The one user who claimed the member account first, or whom they handed the role over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    /// Who.
    pub user_id: Id,
    /// How they are addressed, kept in step with their profile.
    pub civility: Civility,
    /// Their last name, kept in step with their profile.
    pub last_name: PersonName,
    /// Since when the account is claimed; a hand-over is the same claim.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
}

/// An establishment by its SIRET: what its people's home page needs in one read, and the seat of its
/// manager: who sits there is the manager, and nobody else can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Establishment {
    /// Its SIRET.
    pub siret: Siret,
    /// Its name.
    pub name: String,
    /// Its open member account.
    pub member_number: MemberNumber,
    /// Whether the account was open to claims and grants when this was written.
    open: bool,
    /// The day from which on it is not, which may lie ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_on: Option<Date>,
    /// Its manager.
    pub manager: Option<Manager>,
    /// That a claim is contested: whatever gives access or moves the role waits for the staff, and so does a further
    /// claim where the manager left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
    /// That one of the staff wants the manager released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The claims that were made of the account.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
}

impl Establishment {
    /// The establishment of an account on this day of the fund, without a manager.
    #[must_use]
    pub fn new(siret: Siret, name: String, member_number: MemberNumber, closed_on: Option<Date>, today: Date) -> Self {
        let open = closed_on.is_none_or(|day| today < day);
        let (manager, contested, release, claims) = (None, None, None, Claims::default());
        Self { siret, name, member_number, open, closed_on, manager, contested, release, claims }
    }

    /// Whether the account is open to claims and grants on this day of the fund.
    #[must_use]
    pub fn is_open(&self, today: Date) -> bool {
        self.open && self.closed_on.is_none_or(|day| today < day)
    }

    /// That the account is open on this day of the fund.
    ///
    /// # Errors
    /// Where the day cannot be an attribute.
    pub fn open_on(today: Date) -> Result<Condition, StoreError> {
        let not_yet = vec![Condition::Without("closed_on"), Condition::above("closed_on", &today)?];
        Ok(Condition::All(vec![Condition::is("open", &true)?, Condition::Any(not_yet)]))
    }

    /// That the account is open as long as it was when this was read.
    ///
    /// # Errors
    /// Where the day cannot be an attribute.
    pub fn as_open_as_read(&self) -> Result<Condition, StoreError> {
        let until = match &self.closed_on {
            Some(day) => Condition::is("closed_on", day)?,
            None => Condition::Without("closed_on"),
        };
        Ok(Condition::All(vec![Condition::is("open", &self.open)?, until]))
    }

    /// Closes the account from this day of the fund on.
    ///
    /// # Errors
    /// Where the day cannot be an attribute.
    pub fn close(today: Date) -> Result<Change, StoreError> {
        Change::new().set("open", &false)?.set("closed_on", &today)
    }

    /// Where an establishment is stored.
    #[must_use]
    pub fn key_of(siret: &Siret) -> Key {
        Key::new(Table::Members, format!("SIRET#{siret}"), "ESTABLISHMENT")
    }
}

impl Record for Establishment {
    fn key(&self) -> Key {
        Self::key_of(&self.siret)
    }
}

/// What a grant permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads, and decides who else may.
    Manager,
    /// Reads.
    Reader,
}

/// That a user may read an account; carries what a list of accounts shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub user_id: Id,
    /// Which account.
    pub member_number: MemberNumber,
    /// As what.
    pub role: Role,
    /// The account's establishment.
    pub siret: Siret,
    /// Its name.
    pub name: String,
    /// A copy of [`Account::active`] for lists; what opens the ledger is the account's own.
    pub active: bool,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// The invitation that they opened: a manager who takes that back takes back this.
    #[serde(default)]
    pub invitation_id: Option<Id>,
    /// When access was given, where that is not `since`: a change of role moves that.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub given_at: Option<Timestamp>,
    /// A copy of [`Account::sirets_before`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sirets_before: Vec<Siret>,
}

impl Grant {
    /// That somebody may read an account from `since` on; by the invitation that they opened, if by any.
    #[must_use]
    pub fn of_reader(user_id: Id, account: &Account, since: Timestamp, invitation_id: Option<Id>) -> Self {
        Self {
            user_id,
            member_number: account.member_number.clone(),
            role: Role::Reader,
            siret: account.siret.clone(),
            name: account.name.clone(),
            active: account.active,
            since,
            invitation_id,
            given_at: None,
            sirets_before: account.sirets_before.clone(),
        }
    }

    /// Returns when a manager gave this access, or its user claimed it.
    #[must_use]
    pub fn given_at(&self) -> Timestamp {
        self.given_at.unwrap_or(self.since)
    }

    /// Returns the condition that it permits what it did when it was read, on an account with the same SIRET.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn unmoved(&self) -> Result<Condition, StoreError> {
        Ok(Condition::All(vec![Condition::is("role", &self.role)?, Condition::is("siret", &self.siret)?]))
    }

    /// Returns whether it ends when its user leaves the establishment with this SIRET for another: that of the account,
    /// by whatever SIRET it goes by now. Who goes where the account has gone keeps it.
    #[must_use]
    pub fn ends_with(&self, left: &Siret, entered: &Siret) -> bool {
        self.siret != *entered && (self.siret == *left || self.sirets_before.contains(left))
    }

    /// Where a grant is stored.
    #[must_use]
    pub fn key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("USER#{user_id}"), format!("GRANT#{number}"))
    }

    /// All grants of a user.
    #[must_use]
    pub fn all_of(user_id: Id) -> Query {
        Query::partition(Table::Members, format!("USER#{user_id}")).beginning("GRANT#")
    }

    /// All grants on an account, as [`GrantMirror`]s.
    #[must_use]
    pub fn all_on(number: &MemberNumber) -> Query {
        Query::partition(Table::Members, partition(number)).beginning("GRANT#")
    }

    /// Where its mirror is stored, in the account's partition.
    #[must_use]
    pub fn mirror_key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, partition(number), format!("GRANT#{user_id}"))
    }
}

impl Record for Grant {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, &self.member_number)
    }
}

/// The same grant in the account's partition; written and deleted together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantMirror(pub Grant);

impl Record for GrantMirror {
    fn key(&self) -> Key {
        Grant::mirror_key_of(self.0.user_id, &self.0.member_number)
    }
}

/// That a user once entered an account's number correctly: entitles them to its manager's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Who.
    pub user_id: Id,
    /// Which number.
    pub member_number: MemberNumber,
    /// The establishment's SIRET: whoever leaves it leaves the proof behind.
    pub siret: Siret,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub proved_at: Timestamp,
}

impl Proof {
    /// Where a proof is stored.
    #[must_use]
    pub fn key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("USER#{user_id}"), format!("PROOF#{number}"))
    }
}

impl Record for Proof {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, &self.member_number)
    }
}

/// What a user may read, which numbers they have proved, and what they asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Accounts that they may read.
    pub grants: Vec<Grant>,
    /// Numbers that they once entered correctly.
    pub proofs: Vec<Proof>,
    /// Accounts that they asked access to.
    pub requests: Vec<AccessRequest>,
    /// Accounts that they may not claim again.
    pub bars: Vec<ClaimBar>,
}

impl Rights {
    /// All rights of a user, in one query: they are one partition.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &Store, user_id: Id) -> Result<Self, StoreError> {
        let partition = Query::partition(Table::Members, format!("USER#{user_id}"));
        let mut rights = Self::default();
        for item in store.query_all_items(&partition).await? {
            let kind = item.get("sk").and_then(|sk| sk.as_s().ok()?.split('#').next()).unwrap_or_default();
            match kind {
                "GRANT" => rights.grants.push(from_item(item)?),
                "REQUEST" => rights.requests.push(from_item(item)?),
                "BAR" => rights.bars.push(from_item(item)?),
                _ => rights.proofs.push(from_item(item)?),
            }
        }
        Ok(rights)
    }
}

fn partition(number: &MemberNumber) -> String {
    format!("ACCOUNT#{number}")
}

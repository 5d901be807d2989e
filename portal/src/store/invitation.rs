//! Invitations: access to an account that was given to an address, until whoever owns the address opens it.
//!
//! An invitation is bound to the address, and to nobody: giving it looks no one up. Unopened, it ends after
//! [`Invitation::LIFETIME`], or when whoever owns the address leaves it: an address may be somebody else's later.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::login::admitted_with;
use super::record::from_item;
use super::{
    AccessRequest, Account, Change, Condition, Grant, Key, Query, Record, Step, Store, StoreError, Table, Transaction,
};
use crate::domain::{Email, Id, MemberNumber, Siret, to_hex};

/// What stands for an address in keys.
///
/// The first 128 bits of its SHA-256: two addresses that share them would have to be searched for 2^64
/// times, and would open nothing, as an invitation holds its address in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressHash(String);

impl AddressHash {
    /// What stands for an address.
    #[must_use]
    pub fn of(email: &Email) -> Self {
        let hash = digest(&SHA256, email.as_str().as_bytes());
        Self(to_hex(&hash.as_ref()[..16]))
    }
}

/// That the owner of an address may read an account and has not opened it yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Random: what the manager's list and the evidence call it.
    pub invitation_id: Id,
    /// The address.
    pub email: Email,
    /// Which account.
    pub member_number: MemberNumber,
    /// The account's establishment, as it was then; opening it goes by the account.
    pub siret: Siret,
    /// Its name, likewise.
    pub name: String,
    /// A copy of `Account::active`, for lists.
    pub active: bool,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// From when on it opens nothing. It stays in its account's list until it is renewed or taken back.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
}

impl Invitation {
    /// Time enough for a holiday; less than anybody else takes over an address.
    pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

    /// A new invitation of an address to an account.
    pub fn new(email: &Email, account: &Account, now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        Self {
            invitation_id: Id::random(rng),
            email: email.clone(),
            member_number: account.member_number.clone(),
            siret: account.siret.clone(),
            name: account.name.clone(),
            active: account.active,
            since: now,
            expires_at: now + Self::LIFETIME,
        }
    }

    /// Whether it gives access at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether no invitation gives access, as a condition on where one would be.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn none_open(now: Timestamp) -> Result<Condition, StoreError> {
        let ended = Condition::below("expires_at", &(now.as_millisecond() + 1))?;
        Ok(Condition::Any(vec![Condition::Absent, ended]))
    }

    /// Lets it run for its whole lifetime from `now` on, where both of it are still there. The id stays, by which lists
    /// and evidence name it. The step is that of the first.
    ///
    /// # Errors
    /// Where the change cannot be built.
    pub fn renew(&self, transaction: &mut Transaction, now: Timestamp) -> Result<Step, StoreError> {
        // Not shorter than it is, whatever the clocks of two machines say.
        let until = self.expires_at.max(now + Self::LIFETIME);
        let change = Change::new().set("expires_at", &until.as_millisecond())?;
        let mirror = Self::mirror_key_of(&self.member_number, &AddressHash::of(&self.email));
        transaction.update(mirror, change.clone(), self.same()?);
        Ok(transaction.update(self.key(), change, self.same()?))
    }

    /// Takes both of them away, as they become a grant: where they are still these, and have not ended.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn open(&self, transaction: &mut Transaction, now: Timestamp) -> Result<Step, StoreError> {
        let mirror = Self::mirror_key_of(&self.member_number, &AddressHash::of(&self.email));
        let open = Condition::All(vec![self.same()?, Condition::above("expires_at", &now.as_millisecond())?]);
        transaction.delete(mirror, Some(self.same()?));
        Ok(transaction.delete(self.key(), Some(open)))
    }

    /// Where the invitation of an address to an account is stored: there is one at most.
    #[must_use]
    pub fn key_of(number: &MemberNumber, address: &AddressHash) -> Key {
        Key::new(Table::Members, format!("ACCOUNT#{number}"), format!("INVITATION#{}", address.0))
    }

    /// Where its mirror is stored, under the address.
    #[must_use]
    pub fn mirror_key_of(number: &MemberNumber, address: &AddressHash) -> Key {
        Key::new(Table::Members, format!("INVITED#{}", address.0), format!("ACCOUNT#{number}"))
    }

    /// All invitations to an account.
    #[must_use]
    pub fn all_to(number: &MemberNumber) -> Query {
        Query::partition(Table::Members, format!("ACCOUNT#{number}")).beginning("INVITATION#")
    }

    /// All invitations of an address, as [`InvitationMirror`]s.
    #[must_use]
    pub fn all_of(address: &AddressHash) -> Query {
        Query::partition(Table::Members, format!("INVITED#{}", address.0))
    }

    /// Takes both of them away, where they are still these; the step is that of the first.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn delete(&self, transaction: &mut Transaction) -> Result<Step, StoreError> {
        let address = AddressHash::of(&self.email);
        let mirror = Self::mirror_key_of(&self.member_number, &address);
        transaction.delete(mirror, Some(self.same()?));
        Ok(transaction.delete(self.key(), Some(self.same()?)))
    }

    /// The invitation is still this one.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same(&self) -> Result<Condition, StoreError> {
        Condition::is("invitation_id", &self.invitation_id)
    }
}

impl Record for Invitation {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, &AddressHash::of(&self.email))
    }
}

/// The same invitation under its address; written and deleted together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvitationMirror(pub Invitation);

impl Record for InvitationMirror {
    fn key(&self) -> Key {
        Invitation::mirror_key_of(&self.0.member_number, &AddressHash::of(&self.0.email))
    }
}

/// Who may read an account, granted or invited, and who asks to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountUsers {
    /// Those who opened it, its manager among them.
    pub grants: Vec<Grant>,
    /// Those who have not.
    pub invitations: Vec<Invitation>,
    /// Those who ask for access.
    pub requests: Vec<AccessRequest>,
}

impl AccountUsers {
    /// All of an account, in one query: they are one partition.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &Store, number: &MemberNumber) -> Result<Self, StoreError> {
        let partition = Query::partition(Table::Members, format!("ACCOUNT#{number}"));
        let mut users = Self::default();
        for item in store.query_all_items(&partition).await? {
            let kind = item.get("sk").and_then(|sk| sk.as_s().ok()?.split('#').next()).unwrap_or_default();
            match kind {
                "GRANT" => users.grants.push(from_item(item)?),
                "INVITATION" => users.invitations.push(from_item(item)?),
                "REQUEST" => users.requests.push(from_item(item)?),
                // The account itself.
                _ => {}
            }
        }
        Ok(users)
    }
}

/// When an address was lately mailed that it has access to one account: at most 3 mails an hour, however
/// often access is given and taken. Another account's manager has mails of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationMails {
    /// The address.
    pub email: Email,
    /// The account.
    pub member_number: MemberNumber,
    /// When such mails were asked for and admitted, in milliseconds, oldest first.
    pub admitted: Vec<i64>,
    /// Seconds since 1970 after which this item says nothing any more.
    pub ttl: i64,
}

/// The limit: so many within so long.
const LIMITS: [(i64, usize); 1] = [(3_600_000, 3)];

impl InvitationMails {
    /// Kept for a day: far longer than what the limit looks back on.
    const KEPT: Duration = Duration::from_secs(24 * 3600);

    /// Where the mails to an address about an account are stored.
    #[must_use]
    pub fn key_of(email: &Email, number: &MemberNumber) -> Key {
        Key::new(Table::Identity, format!("EMAIL#{}", email.as_str()), format!("MAIL#invitation#{number}"))
    }

    /// Those to an address, about whichever account.
    #[must_use]
    pub fn all_to(email: &Email) -> Query {
        Query::partition(Table::Identity, format!("EMAIL#{}", email.as_str())).beginning("MAIL#invitation#")
    }

    /// The mails with one more, asked for at `asked`, or `None` where the limit forbids it.
    #[must_use]
    pub fn with_one_more(
        seen: Option<&Self>,
        email: &Email,
        number: &MemberNumber,
        asked: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let admitted = admitted_with(seen.map_or(&[], |seen| &seen.admitted), asked, &LIMITS)?;
        let ttl = (now + Self::KEPT).as_second();
        Some(Self { email: email.clone(), member_number: number.clone(), admitted, ttl })
    }

    /// The mails are still those that were read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same(seen: Option<&Self>) -> Result<Condition, StoreError> {
        match seen {
            Some(seen) => Condition::is("admitted", &seen.admitted),
            None => Ok(Condition::Absent),
        }
    }
}

impl Record for InvitationMails {
    fn key(&self) -> Key {
        Self::key_of(&self.email, &self.member_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_hash_and_it_is_not_the_address() {
        let hash = |text: &str| AddressHash::of(&Email::parse(text).unwrap());
        assert_eq!(hash("Marie@Exemple.fr"), hash("marie@exemple.fr"));
        assert_ne!(hash("marie@exemple.fr"), hash("maria@exemple.fr"));
        // `printf %s marie@exemple.fr | sha256sum`, its first half.
        assert_eq!(hash("marie@exemple.fr").0, "c9cce933121f33ed368f5205897692e9");
    }

    #[test]
    fn three_mails_an_hour_and_two_in_a_row() {
        let (email, number) = (Email::parse("a@exemple.fr").unwrap(), MemberNumber::parse("012345").unwrap());
        let mut mails = None;
        let mut admitted_at = |seconds: i64| {
            let asked = Timestamp::from_second(1_000_000 + seconds).unwrap();
            let more = InvitationMails::with_one_more(mails.as_ref(), &email, &number, asked, asked);
            let admitted = more.is_some();
            mails = more.or(mails.take());
            admitted
        };
        let answers: Vec<_> = [0, 1, 1, 2, 3599, 3600, 3601, 3602].into_iter().map(&mut admitted_at).collect();
        assert_eq!(answers, [true, true, true, false, false, true, true, true]);
    }
}

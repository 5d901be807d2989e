//! Requests for access: a user of the account's establishment asks its manager to let them read.
//!
//! A request is the account's, whoever manages it, and the user's: it is written under both, and whoever
//! changes their establishment or erases themselves takes it away. So where both items are there, who asked is
//! there too, and still of the establishment.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evidence::told_after;
use super::login::admitted_with;
use super::{Change, Condition, Key, Query, Record, Step, StoreError, Table, Transaction};
use crate::domain::{Id, MemberNumber, Message, Siret};

/// That a user asks for access to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// Random: tells it from one that the same user makes later.
    pub request_id: Id,
    /// Who asks. Their names and address are read from the user, and so are never out of date.
    pub user_id: Id,
    /// To which account.
    pub member_number: MemberNumber,
    /// The establishment that both are of.
    pub siret: Siret,
    /// What they wrote.
    pub message: Option<Message>,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// When its manager was to be told last.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub told_at: Timestamp,
}

impl AccessRequest {
    /// The manager is reminded of a request no sooner than after a day.
    const PAUSE: Duration = Duration::from_secs(24 * 3600);

    /// Where a request is stored.
    #[must_use]
    pub fn key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("ACCOUNT#{number}"), format!("REQUEST#{user_id}"))
    }

    /// All requests for an account.
    #[must_use]
    pub fn all_for(number: &MemberNumber) -> Query {
        Query::partition(Table::Members, format!("ACCOUNT#{number}")).beginning("REQUEST#")
    }

    /// Where its mirror is stored, in the user's partition.
    #[must_use]
    pub fn mirror_key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("USER#{user_id}"), format!("REQUEST#{number}"))
    }

    /// Whether its manager may be reminded of it.
    #[must_use]
    pub fn may_remind(&self, now: Timestamp) -> bool {
        self.told_at + Self::PAUSE <= now
    }

    /// When it is answered, at `now`: after it was made, even within its millisecond.
    #[must_use]
    pub fn answered_at(&self, now: Timestamp) -> Timestamp {
        told_after(self.since, now)
    }

    /// Takes both of them away, where they are still of this request.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn delete(&self, transaction: &mut Transaction) -> Result<[Step; 2], StoreError> {
        let mirror = Self::mirror_key_of(self.user_id, &self.member_number);
        let mirror = transaction.delete(mirror, Some(self.same()?));
        Ok([transaction.delete(self.key(), Some(self.same()?)), mirror])
    }

    /// Takes both of them away, where they are there: with access, nobody asks for it.
    pub fn delete_any(user_id: Id, number: &MemberNumber, transaction: &mut Transaction) {
        transaction.delete(Self::key_of(user_id, number), None);
        transaction.delete(Self::mirror_key_of(user_id, number), None);
    }

    /// The request is still this one.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same(&self) -> Result<Condition, StoreError> {
        Condition::is("request_id", &self.request_id)
    }
}

impl Record for AccessRequest {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, &self.member_number)
    }
}

/// The same request in the user's partition; written and deleted together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessRequestMirror(pub AccessRequest);

impl Record for AccessRequestMirror {
    fn key(&self) -> Key {
        AccessRequest::mirror_key_of(self.0.user_id, &self.0.member_number)
    }
}

/// How many requests were made for an account since they were last counted: at least as many as are open.
///
/// A new request adds to it, under the condition that it is below [`RequestCount::MOST`]; an answered one takes nothing
/// off, so nothing that ends a request has to know of this. Only where the bound is reached are the open ones counted,
/// and it starts from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCount {
    /// The account.
    pub member_number: MemberNumber,
    /// How many were made since.
    pub made: usize,
    /// How often they were counted: tells one count from another that came to the same.
    #[serde(default)]
    pub counts: u64,
}

impl RequestCount {
    /// How many may be open at a time: what a manager can look through, and strangers cannot make endless.
    pub const MOST: usize = 100;

    /// Where an account's count is stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("ACCOUNT#{number}"), "REQUESTS")
    }

    /// Counts one more. The step is refused where the bound is reached.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn one_more(number: &MemberNumber, transaction: &mut Transaction) -> Result<Step, StoreError> {
        let free = vec![Condition::Absent, Condition::below("made", &Self::MOST)?];
        let more = Change::new().set("member_number", number)?.add("made", 1);
        Ok(transaction.update(Self::key_of(number), more, Condition::Any(free)))
    }

    /// Counts one beside `open`, which were there after this was read; `None` where that is more than there may be. The
    /// step is refused where somebody asked or counted meanwhile.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn recounted(&self, open: usize, transaction: &mut Transaction) -> Result<Option<Step>, StoreError> {
        if open >= Self::MOST {
            return Ok(None);
        }
        let after = Self { made: open + 1, counts: self.counts + 1, ..self.clone() };
        let counts = Condition::is("counts", &self.counts)?;
        // What was never counted has no such attribute.
        let counts = if self.counts == 0 { Condition::Any(vec![counts, Condition::Without("counts")]) } else { counts };
        let same = Condition::All(vec![Condition::is("made", &self.made)?, counts]);
        transaction.put(&after, Some(same)).map(Some)
    }
}

impl Record for RequestCount {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

/// When an account's manager was lately mailed that somebody asks for access: at most 5 mails an hour and 20 a
/// day, however many ask, or however often one does who comes and goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMails {
    /// The account.
    pub member_number: MemberNumber,
    /// When such mails were asked for and admitted, in milliseconds, oldest first.
    pub admitted: Vec<i64>,
    /// Seconds since 1970 after which this item says nothing any more.
    pub ttl: i64,
}

/// The limits: so many within so long.
const LIMITS: [(i64, usize); 2] = [(3_600_000, 5), (86_400_000, 20)];

impl RequestMails {
    /// Kept for two days: longer than what the limits look back on.
    const KEPT: Duration = Duration::from_secs(48 * 3600);

    /// Where the mails about requests for an account are stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber) -> Key {
        Key::new(Table::Identity, format!("ACCOUNT#{number}"), "REQUEST-MAILS")
    }

    /// The mails with one more, asked for at `asked`, or `None` where a limit forbids it.
    #[must_use]
    pub fn with_one_more(seen: Option<&Self>, number: &MemberNumber, asked: Timestamp, now: Timestamp) -> Option<Self> {
        let admitted = admitted_with(seen.map_or(&[], |seen| &seen.admitted), asked, &LIMITS)?;
        Some(Self { member_number: number.clone(), admitted, ttl: (now + Self::KEPT).as_second() })
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

impl Record for RequestMails {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_mails_an_hour_and_twenty_a_day() {
        let number = MemberNumber::parse("012345").unwrap();
        let mut mails = None;
        let mut admitted = 0;
        // One a minute for a day and an hour.
        for minute in 0..25 * 60 {
            let asked = Timestamp::from_second(1_000_000 + minute * 60).unwrap();
            let more = RequestMails::with_one_more(mails.as_ref(), &number, asked, asked);
            admitted += usize::from(more.is_some());
            let so_far = match minute {
                59 => Some(5),
                60 => Some(6),
                1_439 => Some(20),
                1_440 => Some(21),
                _ => None,
            };
            assert!(so_far.is_none_or(|so_far| so_far == admitted), "{admitted} after {minute} minutes");
            mails = more.or(mails);
        }
    }
}

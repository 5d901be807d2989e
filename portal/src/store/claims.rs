//! The claims that were made of a member account, and what of them outlives their manager.
//!
//! They stand on the establishment's item, beside the manager: whatever moves the role has its condition there, so no
//! second item can disagree. Where the fund's file moves the account to another SIRET, they move with it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, ClaimOf, Condition, Establishment, Key, Record, Release, StoreError, Table};
use crate::domain::{Id, MemberNumber};

/// Three claims of one account in any 24 hours: each tells some twenty people, on the fund's quota of mails.
const MOST_IN_WINDOW: usize = 3;
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// The most claims that are kept of an account, the newest first. With three a day at most, none is forgotten while a
/// link that contests it lives (`ContestLink::LIFETIME`, thirty days).
const MOST_KEPT: usize = 100;

/// How a manager lost the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimEnd {
    /// They left the establishment.
    Left,
    /// They were erased.
    Erased,
    /// The staff released them.
    Released,
}

impl ClaimEnd {
    /// Its name in an answer.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Erased => "erased",
            Self::Released => "released",
        }
    }
}

/// A claim that succeeded. A hand-over is the same claim: the evidence says who had the role meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastClaim {
    /// Who claimed, by their random id.
    pub user_id: Id,
    /// When: no two claims of an account share it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// When its manager lost the role; none while it stands.
    #[serde(
        default,
        with = "jiff::fmt::serde::timestamp::millisecond::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Timestamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<ClaimEnd>,
    /// The number of people who told the staff that it is not right, by links that freeze nothing.
    #[serde(default)]
    pub doubts: u32,
    /// The staff found it to be right: none of its links does anything any more.
    #[serde(default)]
    pub dismissed: bool,
}

/// The claims of one account, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(Vec<PastClaim>);

impl Claims {
    /// Returns whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &PastClaim> {
        self.0.iter()
    }

    /// Returns the claim that was made at this moment.
    #[must_use]
    pub fn of(&self, since: Timestamp) -> Option<&PastClaim> {
        self.0.iter().find(|claim| claim.since == since)
    }

    /// Returns the moment at which a claim of `now` is made: after each before it, whatever the clocks of two machines
    /// say.
    #[must_use]
    pub fn next_since(&self, now: Timestamp) -> Timestamp {
        self.0.first().map_or(now, |newest| super::told_after(newest.since, now))
    }

    /// Returns how long no further claim is taken, where that is so.
    #[must_use]
    pub fn closed_for(&self, now: Timestamp) -> Option<Duration> {
        let until = self.0.get(MOST_IN_WINDOW - 1)?.since + WINDOW;
        u64::try_from(until.as_millisecond() - now.as_millisecond())
            .ok()
            .filter(|left| *left > 0)
            .map(Duration::from_millis)
    }

    /// Returns them with one more, of `user_id`.
    #[must_use]
    pub fn with(&self, user_id: Id, since: Timestamp) -> Self {
        let claim = PastClaim { user_id, since, until: None, ended: None, doubts: 0, dismissed: false };
        Self([claim].into_iter().chain(self.0.iter().take(MOST_KEPT - 1).cloned()).collect())
    }

    /// Returns them with the newest ended, where it stands.
    #[must_use]
    pub fn ended(&self, end: ClaimEnd, now: Timestamp) -> Self {
        let mut claims = self.clone();
        if let Some(newest) = claims.0.first_mut().filter(|newest| newest.until.is_none()) {
            newest.until = Some(now.max(newest.since));
            newest.ended = Some(end);
        }
        claims
    }

    /// Returns them with one more doubt about the claim of this moment.
    #[must_use]
    pub fn doubted(&self, since: Timestamp) -> Self {
        self.changed(since, |claim| claim.doubts = claim.doubts.saturating_add(1))
    }

    /// Returns them with the claim of this moment found to be right.
    #[must_use]
    pub fn dismissed(&self, since: Timestamp) -> Self {
        self.changed(since, |claim| claim.dismissed = true)
    }

    fn changed(&self, since: Timestamp, change: impl Fn(&mut PastClaim)) -> Self {
        let mut claims = self.clone();
        claims.0.iter_mut().filter(|claim| claim.since == since).for_each(change);
        claims
    }

    /// Returns the condition that they are those that were read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn unchanged(&self) -> Result<Condition, StoreError> {
        if self.is_empty() { Ok(Condition::Without("claims")) } else { Condition::is("claims", self) }
    }
}

impl Establishment {
    /// Returns whether role and access stay as they are until the staff decide.
    #[must_use]
    pub fn is_frozen(&self, now: Timestamp) -> bool {
        self.contested.is_some() || self.release.as_ref().is_some_and(|release| release.is_open(now))
    }

    /// Returns the condition that they may move.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn not_frozen(now: Timestamp) -> Result<Condition, StoreError> {
        let lapsed = (now - Release::LIFETIME).as_millisecond() + 1;
        let no_release = vec![Condition::Without("release"), Condition::below("release.at", &lapsed)?];
        Ok(Condition::All(vec![Condition::Without("contested"), Condition::Any(no_release)]))
    }

    /// Returns the condition that the account, its manager and what is known of its claims are those that were read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn as_seen(&self) -> Result<Condition, StoreError> {
        let manager = match &self.manager {
            Some(manager) => Condition::is("manager", manager)?,
            None => Condition::Without("manager"),
        };
        let contested = match &self.contested {
            Some(contested) => Condition::is("contested", contested)?,
            None => Condition::Without("contested"),
        };
        let release = match &self.release {
            Some(release) => Condition::is("release", release)?,
            None => Condition::Without("release"),
        };
        Ok(Condition::All(vec![
            Condition::is("member_number", &self.member_number)?,
            self.as_open_as_read()?,
            manager,
            contested,
            release,
            self.claims.unchanged()?,
        ]))
    }

    /// Returns the change that takes the role from its manager. A contest stays: nobody shakes it off by leaving.
    ///
    /// # Errors
    /// Where the change cannot be built.
    pub fn vacated(&self, end: ClaimEnd, now: Timestamp) -> Result<Change, StoreError> {
        let change = Change::new().remove("manager");
        if self.claims.is_empty() { Ok(change) } else { change.set("claims", &self.claims.ended(end, now)) }
    }

    /// Returns the claim that its manager has the role by.
    #[must_use]
    pub fn standing_claim(&self) -> Option<ClaimOf> {
        let manager = self.manager.as_ref()?;
        Some(ClaimOf { siret: self.siret.clone(), member_number: self.member_number.clone(), since: manager.since })
    }
}

/// That the staff took an account's role from a user, who does not claim it again unless the staff let them. It goes
/// with the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimBar {
    /// Who.
    pub user_id: Id,
    /// Which account.
    pub member_number: MemberNumber,
    /// Since when.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
}

impl ClaimBar {
    /// Where it is stored.
    #[must_use]
    pub fn key_of(user_id: Id, number: &MemberNumber) -> Key {
        Key::new(Table::Members, format!("USER#{user_id}"), format!("BAR#{number}"))
    }
}

impl Record for ClaimBar {
    fn key(&self) -> Key {
        Self::key_of(self.user_id, &self.member_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ContestLink;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn three_claims_of_an_account_fit_into_any_24_hours() {
        let (mut claims, mut made) = (Claims::default(), Vec::new());
        for minute in 0..3 * 24 * 60 {
            let now = at(minute * 60);
            if claims.closed_for(now).is_none() {
                claims = claims.with(Id::from_bytes([1; 16]), claims.next_since(now));
                made.push(minute);
            }
        }
        let within = |from: i64| made.iter().filter(|minute| (from..from + 24 * 60).contains(*minute)).count();
        assert_eq!(made.iter().map(|from| within(*from)).max(), Some(3));
        let last = claims.0[0].since;
        let wait = claims.closed_for(last).unwrap();
        assert!(claims.closed_for(last + wait).is_none(), "it opens when it says so");
    }

    #[test]
    fn no_claim_is_forgotten_while_a_link_that_contests_it_lives() {
        let days = ContestLink::LIFETIME.as_secs().div_ceil(WINDOW.as_secs()) + 1;
        assert!(MOST_IN_WINDOW * usize::try_from(days).unwrap() < MOST_KEPT);
    }

    #[test]
    fn two_claims_of_one_moment_are_two() {
        let now = at(0);
        let one = Claims::default().with(Id::from_bytes([1; 16]), now).ended(ClaimEnd::Left, now);
        let since = one.next_since(now);
        assert!(since > now);
        let two = one.with(Id::from_bytes([2; 16]), since).doubted(now).dismissed(since);
        assert_eq!(two.of(now).map(|claim| (claim.doubts, claim.dismissed, claim.until)), Some((1, false, Some(now))));
        assert_eq!(two.of(since).map(|claim| (claim.doubts, claim.dismissed, claim.until)), Some((0, true, None)));
    }
}

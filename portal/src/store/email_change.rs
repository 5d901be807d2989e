//! Changes of a user's address: asked for, confirmed from the new address, undone from the old one.
//!
//! What was asked for of late stands in the user's item, in its order; the mailed links only name an entry
//! of it. So one condition on one list decides whatever meets: a second request, a confirmation, an undoing.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, Record, StoreError, Table, User};
use crate::domain::{Email, Id};

/// One change of address, from its request until nobody can undo it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailChange {
    /// Which: the outbox id of the notice, from which the link that undoes it derives.
    pub change_id: Id,
    /// The address until then; undoing restores it.
    pub before: Email,
    /// The address that was asked for.
    pub wanted: Email,
    /// The user's epoch when it was asked for: where that moves, it cannot be confirmed any more.
    pub epoch: u64,
    /// When it was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub asked_at: Timestamp,
    /// When the link to the new address was used.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub confirmed_at: Option<Timestamp>,
    /// The hash of the link that confirms it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirming: Option<String>,
    /// The hash of the link that undoes it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoing: Option<String>,
}

impl EmailChange {
    /// How long it can be undone; the address before is kept free as long.
    pub const UNDOABLE: Duration = Duration::from_secs(7 * 24 * 3600);

    /// How many may be asked for in that time. Each is a mail to an address that the caller chose.
    pub const MOST: usize = 10;

    /// From when on it cannot be undone.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.asked_at + Self::UNDOABLE
    }
}

impl User {
    /// A change of late, with its place in the list.
    #[must_use]
    pub fn email_change(&self, change_id: Id) -> Option<(usize, &EmailChange)> {
        self.email_changes.iter().enumerate().find(|(_, change)| change.change_id == change_id)
    }

    /// The change that its link may confirm: the newest, asked for since the epoch moved last.
    #[must_use]
    pub fn pending_email(&self) -> Option<&EmailChange> {
        let newest = self.email_changes.last();
        newest.filter(|change| change.confirmed_at.is_none() && change.epoch == self.epoch)
    }

    /// The addresses before their changes, each once, without the one that they have. Whether one is still kept
    /// for them says its reservation.
    #[must_use]
    pub fn addresses_before(&self) -> Vec<&Email> {
        let mut before: Vec<&Email> = Vec::new();
        for change in &self.email_changes {
            if change.before != self.email && !before.contains(&&change.before) {
                before.push(&change.before);
            }
        }
        before
    }

    /// The reservations that there are of a user: one for every address that they left and can come back to,
    /// until the last change that leads there cannot be undone. Whatever writes the changes keeps this so.
    #[must_use]
    pub fn reservations(&self, now: Timestamp) -> Vec<Reservation> {
        let leads_to = |address: &Email, change: &&EmailChange| {
            change.before == *address && change.confirmed_at.is_some() && now < change.until()
        };
        let last = |address| {
            let changes = self.email_changes.iter().filter(|change| leads_to(address, change));
            changes.max_by_key(|change| change.until())
        };
        let changes = self.addresses_before().into_iter().filter_map(last);
        changes.map(|change| Reservation::of(self.user_id, change)).collect()
    }

    /// The user's address, its changes and the epoch are still what was read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same_address(&self) -> Result<Condition, StoreError> {
        let same = if self.email_changes.is_empty() {
            Condition::Without("email_changes")
        } else {
            Condition::is("email_changes", &self.email_changes)?
        };
        Ok(Condition::All(vec![Condition::is("epoch", &self.epoch)?, Condition::is("email", &self.email)?, same]))
    }
}

/// An address that its owner has left, kept free for them while they can come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The address.
    pub email: Email,
    /// Who left it.
    pub user_id: Id,
    /// From when on anybody may take it. Compared in conditions, as TTL deletes late.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub until: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl Reservation {
    /// The address that a change leaves.
    #[must_use]
    pub fn of(user_id: Id, change: &EmailChange) -> Self {
        let until = change.until();
        Self { email: change.before.clone(), user_id, until, ttl: until.as_second() }
    }

    /// Where the reservation of an address is stored.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::new(Table::Identity, format!("EMAIL#{}", email.as_str()), "RESERVATION")
    }

    /// Whether it keeps others from the address at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether it keeps the address for this user at `now`.
    #[must_use]
    pub fn is_for(&self, user_id: Id, now: Timestamp) -> bool {
        self.user_id == user_id && self.is_in_force(now)
    }

    /// Nobody but this user keeps others from the address at `now`.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn none_of_others(user_id: Id, now: Timestamp) -> Result<Condition, StoreError> {
        let past = Condition::below("until", &(now.as_millisecond() + 1))?;
        Ok(Condition::Any(vec![Condition::Absent, past, Condition::is("user_id", &user_id)?]))
    }
}

impl Record for Reservation {
    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }
}

//! What is kept under an e-mail address: the log-in, and which mails it was sent lately.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, LastUse, Link, Purpose, Record, Session, Step, StoreError, Table, Transaction};
use crate::domain::{Email, Id, Siret};
use crate::security::{PasswordHash, SealKey};

/// What log-in needs to know of an address, in one read. That there is one makes the address unique.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// The address.
    pub email: Email,
    /// Whose it is.
    pub user_id: Id,
    /// Their password's hash (PHC string).
    pub password_hash: PasswordHash,
    /// A copy of the user's epoch, moved with it.
    pub epoch: u64,
    /// A copy of the user's SIRET: what an access token tells reads to fetch beside the user.
    pub siret: Siret,
    /// The user's seal key, for the evidence of a log-in.
    pub seal_key: SealKey,
    /// When it was used last, and what is due because it is not.
    #[serde(flatten)]
    pub last_use: LastUse,
    /// When sessions were opened with it, in milliseconds, the last first. One for each that there is at least, so a
    /// short list says that there are few, without a look at them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<i64>,
}

impl Login {
    /// Where the log-in of an address is stored.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::new(Table::Identity, partition(email), "LOGIN")
    }

    /// Whether there may be as many sessions as a user can have.
    #[must_use]
    pub fn may_be_full(&self) -> bool {
        self.opened.len() >= Session::MOST
    }

    /// No session was opened since this was read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same_opened(&self) -> Result<Condition, StoreError> {
        if self.opened.is_empty() { Ok(Condition::Without("opened")) } else { Condition::is("opened", &self.opened) }
    }
}

impl Record for Login {
    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }
}

/// Which mails callers who are not signed in caused lately, for one address and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailHistory {
    /// The address.
    pub email: Email,
    /// The purpose.
    pub purpose: Purpose,
    /// When such mails were asked for and admitted, in milliseconds, oldest first.
    pub admitted: Vec<i64>,
    /// The hash of the newest link: the only one that works.
    pub newest_link: Option<String>,
    /// Seconds since 1970 after which this item says nothing any more.
    pub ttl: i64,
}

const A_MINUTE: i64 = 60_000;
const AN_HOUR: i64 = 3_600_000;

/// 1 a minute and 3 an hour, for each address and purpose.
const LIMITS: [(i64, usize); 2] = [(A_MINUTE, 1), (AN_HOUR, 3)];

impl MailHistory {
    /// Where the history of an address and purpose is stored.
    #[must_use]
    pub fn key_of(email: &Email, purpose: Purpose) -> Key {
        Key::new(Table::Identity, partition(email), format!("MAIL#{purpose}"))
    }

    /// The newest link is still the one that was read: whoever withdraws it demands that none was made since.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn same_link(seen: Option<&Self>) -> Result<Condition, StoreError> {
        match seen.and_then(|history| history.newest_link.as_ref()) {
            Some(newest) => Condition::is("newest_link", newest),
            None => Ok(Condition::Without("newest_link")),
        }
    }

    /// The user of `email` leaves it: the reset link that was mailed there last dies with its history, and the
    /// step fails where another was made since that was read. It would set their password when they come back,
    /// and holds a copy of their seal key.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn end_resets(email: &Email, seen: Option<&Self>, transaction: &mut Transaction) -> Result<Step, StoreError> {
        if let Some(newest) = seen.and_then(|history| history.newest_link.as_ref()) {
            transaction.delete(Link::key_of(newest), None);
        }
        Ok(transaction.delete(Self::key_of(email, Purpose::Reset), Some(Self::same_link(seen)?)))
    }

    /// The history with one more mail asked for at `asked`, or `None` where the limit forbids it.
    ///
    /// Counted by when the mails were asked for, so a mail that waited for SES takes no other's place.
    #[must_use]
    pub fn admit(&self, asked: Timestamp) -> Option<Vec<i64>> {
        admitted_with(&self.admitted, asked, &LIMITS)
    }
}

/// What was admitted, with one more mail asked for at `asked`; `None` where a limit of so many within so many
/// milliseconds forbids it.
pub(super) fn admitted_with(admitted: &[i64], asked: Timestamp, limits: &[(i64, usize)]) -> Option<Vec<i64>> {
    let asked = asked.as_millisecond();
    let within = |span: i64| admitted.iter().filter(move |at| (asked - **at).abs() < span).count();
    if limits.iter().any(|(span, most)| within(*span) >= *most) {
        return None;
    }
    let longest = limits.iter().map(|(span, _)| *span).max().unwrap_or_default();
    // A wish may come late: what it is too old to meet still counts for the next.
    let newest = admitted.iter().copied().fold(asked, i64::max);
    let mut kept: Vec<_> = admitted.iter().copied().filter(|at| newest - at < 2 * longest).collect();
    kept.push(asked);
    kept.sort_unstable();
    Some(kept)
}

impl Record for MailHistory {
    fn key(&self) -> Key {
        Self::key_of(&self.email, self.purpose)
    }
}

fn partition(email: &Email) -> String {
    format!("EMAIL#{}", email.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_that_comes_late_does_not_free_others() {
        let minutes = |minutes: i64| Timestamp::from_second(1_000_000 + minutes * 60).unwrap();
        let mut history = MailHistory {
            email: Email::parse("a@exemple.fr").unwrap(),
            purpose: Purpose::Activation,
            admitted: [70, 80, 90].map(|at| minutes(at).as_millisecond()).to_vec(),
            newest_link: None,
            ttl: 0,
        };
        history.admitted = history.admit(minutes(0)).expect("an hour away from the others");
        assert_eq!(history.admit(minutes(95)), None, "three within the hour");
        assert_eq!(history.admit(minutes(131)).map(|kept| kept.len()), Some(4));
    }

    #[test]
    fn one_mail_a_minute_and_three_an_hour() {
        let mut history = MailHistory {
            email: Email::parse("a@exemple.fr").unwrap(),
            purpose: Purpose::Activation,
            admitted: Vec::new(),
            newest_link: None,
            ttl: 0,
        };
        let mut admitted_at = |seconds: i64| {
            let asked = Timestamp::from_second(1_000_000 + seconds).unwrap();
            let admitted = history.admit(asked);
            if let Some(list) = &admitted {
                history.admitted.clone_from(list);
            }
            admitted.is_some()
        };
        let asked = [0, 1, 59, 60, 121, 200, 3599, 3600, 3659, 3660, 3661];
        let answers: Vec<_> = asked.into_iter().map(&mut admitted_at).collect();
        assert_eq!(answers, [true, false, false, true, true, false, false, true, false, true, false]);
    }
}

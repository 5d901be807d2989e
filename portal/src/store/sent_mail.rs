//! What became of a mail: kept with the user whose it was, for whoever asks the staff; where it was to make one, under
//! the address that it went to.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, Table};
use crate::domain::{Email, Id};

/// A month: who asks for a mail that did not come asks within days.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What SES said to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handed {
    /// It took it. Whether it arrived is told later, if at all.
    Sent,
    /// It will never take it.
    Refused,
}

/// A mail that was handed to SES. Its text, its link and its token are nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMail {
    /// Whose it was; none where it was to make a space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Id>,
    /// To whom.
    pub email: Email,
    /// The outbox entry that wished for it; events of SES name it too.
    pub outbox_id: Id,
    /// Which mail: the kind of its wish.
    pub mail: String,
    /// When it was wished for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
    /// When SES answered.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// What it said.
    pub handed: Handed,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl SentMail {
    /// A mail that SES answered to at `at`.
    #[must_use]
    pub fn new(
        user_id: Option<Id>,
        email: Email,
        outbox_id: Id,
        mail: &str,
        handed: Handed,
        requested_at: Timestamp,
        at: Timestamp,
    ) -> Self {
        let (mail, ttl) = (mail.to_owned(), (at + KEPT).as_second());
        Self { user_id, email, outbox_id, mail, requested_at, at, handed, ttl }
    }

    /// The mails to a user of late, whatever their address was.
    #[must_use]
    pub fn all_of(user_id: Id) -> Query {
        Query::partition(Table::Identity, format!("USER#{user_id}")).beginning("SENT#")
    }

    /// The mails to an address of late that were to make a space of it.
    #[must_use]
    pub fn all_to(email: &Email) -> Query {
        Query::partition(Table::Identity, format!("EMAIL#{}", email.as_str())).beginning("SENT#")
    }
}

impl Record for SentMail {
    fn key(&self) -> Key {
        let whose = match self.user_id {
            Some(user_id) => format!("USER#{user_id}"),
            None => format!("EMAIL#{}", self.email.as_str()),
        };
        Key::new(Table::Identity, whose, format!("SENT#{}", self.outbox_id))
    }
}

//! What the staff are alerted of: the record beside the mail.

use std::time::Duration;

use jiff::Timestamp;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{Key, Outbox, Query, Record, StoreError, Table, Transaction, Wish};
use crate::domain::{Id, Siret};

/// A year: longer than anybody asks about a guess, and the evidence stays for good.
const KEPT: Duration = Duration::from_secs(365 * 24 * 3600);

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AlertKind {
    /// A user reached their limit of wrong member numbers.
    GuessesOfUser {
        /// Who.
        user_id: Id,
    },
    /// An establishment's limit of wrong member numbers was reached.
    GuessesOfEstablishment,
    /// Somebody who merely has the SIRET says that a claim is not right.
    ClaimDoubted {
        /// Whose claim it is.
        user_id: Id,
    },
    /// A claim was contested.
    ClaimContested {
        /// Which contest.
        contest_id: Id,
    },
    /// The contact on the fund's file should have been told of a claim, or get a pass, and was not reached, or may not be
    /// any more.
    ContactUnreached {
        /// Why.
        why: ContactTrouble,
    },
}

/// Why the contact on the fund's file is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactTrouble {
    /// The file names none, or what it names is no address.
    Missing,
    /// There is no such mailbox.
    Bounced,
    /// Somebody there marked a mail as unwanted. The message was sent all the same.
    Complained,
    /// SES did not take the message.
    Refused,
}

impl ContactTrouble {
    /// As lists name the alert.
    #[must_use]
    pub fn alert(self) -> &'static str {
        match self {
            Self::Missing => "contact-missing",
            Self::Bounced => "contact-bounced",
            Self::Complained => "contact-complained",
            Self::Refused => "contact-refused",
        }
    }
}

/// One alert, in the partition of its establishment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub alert_id: Id,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// The establishment.
    pub siret: Siret,
    /// What about.
    #[serde(flatten)]
    pub kind: AlertKind,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl Alert {
    /// An alert of `now`.
    pub fn new(siret: &Siret, kind: AlertKind, now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        Self { alert_id: Id::random(rng), at: now, siret: siret.clone(), kind, ttl: (now + KEPT).as_second() }
    }

    /// Alerts of an establishment, the newest first.
    #[must_use]
    pub fn newest_of(siret: &Siret, limit: i32) -> Query {
        let all = Query::partition(Table::Identity, format!("SIRET#{siret}")).beginning("ALERT#");
        all.newest_first().limit(limit)
    }

    /// Alerts of all establishments, the newest first, as [`AlertMirror`]s.
    #[must_use]
    pub fn newest(limit: i32) -> Query {
        Query::partition(Table::Identity, "ALERTS").newest_first().limit(limit)
    }

    /// Writes it with its mirror.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn raise(self, transaction: &mut Transaction) -> Result<(), StoreError> {
        transaction.create(&self)?;
        transaction.create(&AlertMirror(self))?;
        Ok(())
    }

    /// Alerts the staff, by record and mail, that the contact was not reached by the message of an outbox entry; ids derive
    /// from the entry's, so that a repeat is refused.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn raise_of_contact(
        outbox_id: Id,
        siret: &Siret,
        why: ContactTrouble,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        let wish = Wish::ContactAlert { siret: siret.clone(), why };
        let mail = Outbox::branch_of(outbox_id, "contact-alert", wish, now);
        transaction.create(&mail)?;
        let kind = AlertKind::ContactUnreached { why };
        let ttl = (now + KEPT).as_second();
        Self { alert_id: mail.outbox_id, at: now, siret: siret.clone(), kind, ttl }.raise(transaction)
    }

    fn place(&self) -> String {
        format!("{:014}#{}", self.at.as_millisecond(), self.alert_id)
    }
}

impl Record for Alert {
    fn key(&self) -> Key {
        Key::new(Table::Identity, format!("SIRET#{}", self.siret), format!("ALERT#{}", self.place()))
    }
}

/// The same alert among all others; written together with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertMirror(pub Alert);

impl Record for AlertMirror {
    fn key(&self) -> Key {
        Key::new(Table::Identity, "ALERTS", self.0.place())
    }
}

//! What the staff are alerted of: the record beside the mail.

use std::time::Duration;

use jiff::Timestamp;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, StoreError, Table, Transaction};
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
    /// A claim was contested.
    ClaimContested {
        /// Which contest.
        contest_id: Id,
    },
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

//! Mailed links: what they permit, and the sign-up drafts that they carry.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EmailChange, Key, Record, Table};
use crate::domain::{Civility, DocumentReference, Email, Id, JobTitle, Origin, PersonName, Siret};
use crate::security::SealKey;

/// What a mailed link is for. Links of one purpose replace each other; those of another are untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Creates the account of a sign-up, with its password.
    Activation,
    /// Sets a new password.
    Reset,
    /// Confirms the change to the address that it was mailed to.
    EmailChange,
    /// Undoes the change from the address that it was mailed to.
    EmailUndo,
}

impl Purpose {
    /// How long a link of this purpose can be used.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Activation | Self::EmailChange => Duration::from_secs(24 * 3600),
            Self::Reset => Duration::from_secs(30 * 60),
            Self::EmailUndo => EmailChange::UNDOABLE,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Activation => "activation",
            Self::Reset => "reset",
            Self::EmailChange => "email-change",
            Self::EmailUndo => "email-undo",
        })
    }
}

/// A sign-up that nobody has confirmed yet.
///
/// No account and no evidence exists before the link is used: nobody's space is made, or their consent
/// recorded, by somebody who does not read their mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The establishment.
    pub siret: Siret,
    /// How the person is addressed.
    pub civility: Civility,
    /// Last name.
    pub last_name: PersonName,
    /// First name.
    pub first_name: PersonName,
    /// Function in the company.
    pub job_title: JobTitle,
    /// The address.
    pub email: Email,
    /// The site they came from.
    pub origin: Option<Origin>,
    /// The terms that they accepted with the form.
    pub terms: DocumentReference,
    /// The request that carried the form.
    pub request_id: String,
    /// The address it came from.
    pub ip: Option<String>,
    /// The browser it came from.
    pub user_agent: Option<String>,
}

/// The user whose password a reset link sets: what the reset needs to know without another read.
#[derive(Clone, Serialize, Deserialize)]
pub struct Owner {
    /// Who.
    pub user_id: Id,
    /// How they are addressed.
    pub civility: Civility,
    /// Last name.
    pub last_name: PersonName,
    /// First name.
    pub first_name: PersonName,
    /// Their establishment.
    pub siret: Siret,
    /// For the evidence of the reset.
    pub seal_key: SealKey,
}

/// The change of address that a link confirms or undoes. What there is to know of it is in the user's item:
/// a link whose user is erased says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfChange {
    /// Whose address.
    pub user_id: Id,
    /// Which of their changes.
    pub change_id: Id,
}

/// What whoever holds the token may do. Consumed in the transaction that does it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Link {
    /// SHA-256 of the token: the token itself is nowhere.
    pub hash: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The address that it was mailed to.
    pub email: Email,
    /// Whose password it resets; none for an activation.
    pub owner: Option<Owner>,
    /// The sign-up that it confirms; none for anything else.
    pub draft: Option<Draft>,
    /// The name of the draft's establishment on the fund's file, where that has it: shown to whoever confirms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub establishment: Option<String>,
    /// The change of address that it is about; none for a password.
    #[serde(default)]
    pub change: Option<OfChange>,
    /// When the form came in, or the reset was asked for.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
    /// From when on it does nothing. Compared in conditions, as TTL deletes late.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub expires_at: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl Link {
    /// Where the link with this hash is stored.
    #[must_use]
    pub fn key_of(hash: &str) -> Key {
        Key::new(Table::Identity, format!("LINK#{hash}"), "LINK")
    }
}

impl Record for Link {
    fn key(&self) -> Key {
        Self::key_of(&self.hash)
    }
}

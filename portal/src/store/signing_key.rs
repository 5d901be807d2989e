//! The public halves of the keys that sign access tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, Table};

/// A public key, as verifiers and the JWKS need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its name in a token's header.
    pub kid: String,
    /// The Ed25519 public key, base64url (RFC 8037).
    pub x: String,
    /// From when on it signs; published a day before.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub active_from: Timestamp,
}

impl PublicKey {
    /// All of them: at most three.
    #[must_use]
    pub fn all() -> Query {
        Query::partition(Table::Identity, "SIGNING-KEYS")
    }
}

impl Record for PublicKey {
    fn key(&self) -> Key {
        Key::new(Table::Identity, "SIGNING-KEYS", &self.kid)
    }
}

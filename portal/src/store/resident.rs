//! Who belongs to an establishment: what tells everybody of it that somebody became manager.

use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, Table};
use crate::domain::{Id, Siret};

/// That a user has an establishment's SIRET in their profile. Written, moved and deleted in the transaction that
/// does so to the user, and only there: the user's item has the last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// The establishment.
    pub siret: Siret,
    /// Who.
    pub user_id: Id,
}

impl Resident {
    /// Where it is stored.
    #[must_use]
    pub fn key_of(siret: &Siret, user_id: Id) -> Key {
        Key::new(Table::Identity, format!("SIRET#{siret}"), format!("USER#{user_id}"))
    }

    /// Everybody of an establishment.
    #[must_use]
    pub fn all_of(siret: &Siret) -> Query {
        Query::partition(Table::Identity, format!("SIRET#{siret}")).beginning("USER#")
    }
}

impl Record for Resident {
    fn key(&self) -> Key {
        Self::key_of(&self.siret, self.user_id)
    }
}

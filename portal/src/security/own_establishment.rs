//! The caller's own establishment, in the same wait as the caller.
//!
//! The establishment is found by the SIRET, which the user's item has. The token remembers the SIRET of its
//! issue, so the establishment can be asked for beside the user, who has the last word.

use super::Ticket;
use crate::domain::Siret;
use crate::http::Problem;
use crate::store::{Batch, Establishment, Fetched, Store, User, Wanted};

/// Where a batch will have the establishment that the token remembers.
pub struct OwnEstablishment {
    remembered: Siret,
    wanted: Wanted<Establishment>,
}

impl OwnEstablishment {
    /// Asks a batch for it.
    pub fn ask(batch: &mut Batch, ticket: &Ticket) -> Self {
        let remembered = ticket.claims.siret.clone();
        Self { wanted: batch.want(Establishment::key_of(&remembered)), remembered }
    }

    /// The user's establishment, where the fund knows it. Costs another read only where the user's SIRET
    /// has changed since the token.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(
        &self,
        user: &User,
        fetched: &mut Fetched,
        store: &Store,
    ) -> Result<Option<Establishment>, Problem> {
        if self.remembered == user.siret {
            return Ok(fetched.take(&self.wanted)?);
        }
        Ok(store.get(&Establishment::key_of(&user.siret)).await?)
    }
}

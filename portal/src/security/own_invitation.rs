//! The invitation of the caller's own address to an account, in the same wait as the caller.
//!
//! An invitation is found by an address, which the user's item has. The token remembers the hash of the
//! address of its issue, so the invitation can be asked for beside the user, who has the last word.

use super::Ticket;
use crate::domain::MemberNumber;
use crate::http::Problem;
use crate::store::{AddressHash, Batch, Fetched, Invitation, Store, User, Wanted};

/// Where a batch will have the invitation of the address that the token remembers.
pub struct OwnInvitation {
    remembered: AddressHash,
    wanted: Wanted<Invitation>,
}

impl OwnInvitation {
    /// Asks a batch for it.
    pub fn ask(batch: &mut Batch, ticket: &Ticket, number: &MemberNumber) -> Self {
        let remembered = ticket.claims.address.clone();
        Self { wanted: batch.want(Invitation::key_of(number, &remembered)), remembered }
    }

    /// The invitation, where there is one of the user's address. Costs another read only where the address
    /// has changed since the token.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(
        &self,
        user: &User,
        number: &MemberNumber,
        fetched: &mut Fetched,
        store: &Store,
    ) -> Result<Option<Invitation>, Problem> {
        let address = AddressHash::of(&user.email);
        let found = if self.remembered == address {
            fetched.take(&self.wanted)?
        } else {
            let mut batch = Batch::new();
            let wanted = batch.want(Invitation::key_of(number, &address));
            store.fetch(batch).await?.take(&wanted)?
        };
        Ok(found.filter(|invitation: &Invitation| invitation.email == user.email))
    }
}

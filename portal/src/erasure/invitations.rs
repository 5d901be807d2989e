//! What an address is invited to ends when its owner leaves it: somebody else may have it later.

use rand::CryptoRng;

use super::Scene;
use crate::domain::Email;
use crate::store::{
    AddressHash, EventKind, Invitation, InvitationMirror, Outcome, Store, StoreError, Transaction, User,
};

/// Ends the invitations of an address, each in a transaction of its own with its evidence, so that a repeat goes on
/// where another stopped.
///
/// # Errors
/// Where the store fails.
pub async fn end_invitations(
    store: &Store,
    address: &Email,
    user: &User,
    why: &str,
    call: &Scene<'_>,
    rng: &mut impl CryptoRng,
) -> Result<(), StoreError> {
    let all = Invitation::all_of(&AddressHash::of(address));
    for InvitationMirror(invitation) in store.query_all(&all).await? {
        let event = call.event(user, EventKind::AccessRevoked, rng)?.about(&invitation.member_number);
        let mut transaction = Transaction::new();
        invitation.delete(&mut transaction)?;
        transaction.create(&event.with_detail(format!("{why}, invitation {}", invitation.invitation_id)))?;
        // Taken back or opened meanwhile: then it is gone, or a grant, which is not bound to the address.
        let (Outcome::Committed | Outcome::Refused(_)) = store.commit(&transaction, rng).await?;
    }
    Ok(())
}

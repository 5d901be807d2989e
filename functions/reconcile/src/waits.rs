//! Records that wait in the ledger, as a report lists them.

use std::collections::{BTreeSet, HashMap};

use portal::domain::{Identifier, MemberNumber};
use portal::store::{AllWaits, Awaited, Store, StoreError};
use serde::Serialize;

/// All that is awaited in any account, read before all accounts are.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The members and actions that something waits for.
    pub(crate) awaited: Awaited,
    /// The actions that waiting records are of, and the accounts that these name.
    pub(crate) actions: HashMap<Identifier, BTreeSet<MemberNumber>>,
}

/// An action that records of another account wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The action.
    pub action_id: Identifier,
    /// The account that has it.
    pub account: MemberNumber,
    /// The accounts in which it is awaited.
    pub awaited_in: Vec<MemberNumber>,
}

impl Named {
    /// An action of an account that is awaited in others.
    pub(crate) fn elsewhere(&self, action_id: Identifier, account: &MemberNumber) -> Elsewhere {
        let awaited_in = self.actions.get(&action_id).into_iter().flatten().filter(|other| *other != account);
        Elsewhere { awaited_in: awaited_in.cloned().collect(), account: account.clone(), action_id }
    }
}

/// Reads what waits: in one account or in all, and what any account awaits.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn read(
    store: &Store,
    one: Option<&MemberNumber>,
    most: usize,
) -> Result<(AllWaits, Named), StoreError> {
    let awaited = store.awaited().await?;
    let (mut waits, actions) = store.waits_in(awaited.accounts(), most).await?;
    if let Some(one) = one {
        (waits, _) = store.waits_in([one.clone()], most).await?;
    }
    Ok((waits, Named { awaited, actions }))
}

//! From a call to a member account that the caller may open, in the same wait as what they came for.
//!
//! ```text
//! let (visit, mut batch) = gate.visit(call).await?;       // the token and the number; no store
//! let (fetched, data) = join(store.fetch(batch), …).await;
//! let door = visit.enter(&mut fetched?, call.now)?.activated()?;
//! ```

use jiff::Timestamp;

use super::{Caller, Gate, Ticket, TicketKeys};
use crate::domain::{DocumentKind, MemberNumber};
use crate::http::{Call, Problem};
use crate::store::{Account, Batch, CurrentDocument, Fetched, Grant, Role, Wanted, current_of};

/// Somebody with a valid token asks for an account; whether they may is in the batch.
pub struct Visit {
    /// Their token.
    pub ticket: Ticket,
    /// The account that they name.
    pub number: MemberNumber,
    caller: TicketKeys,
    grant: Wanted<Grant>,
    account: Wanted<Account>,
    charter: Wanted<CurrentDocument>,
}

/// What a caller may do with a member account: they have a grant, and the charter is accepted.
pub struct AccountDoor {
    /// The caller.
    pub caller: Caller,
    /// Their grant.
    pub grant: Grant,
    /// The account.
    pub account: Account,
}

impl Gate {
    /// Reads the token and the account's number (the path parameter `number`), and asks a batch for what
    /// decides.
    ///
    /// # Errors
    /// `authentication-required`, and `not-found` where the number is none.
    pub async fn visit(&self, call: &Call) -> Result<(Visit, Batch), Problem> {
        let ticket = self.ticket(call).await?;
        let text = call.path("number");
        // One spelling: what is no number is nobody's account.
        let number = MemberNumber::parse(text).ok().filter(|number| number.as_str() == text);
        let Some(number) = number else {
            // No such account, but a session that has ended comes first.
            self.caller(call).await?;
            return Err(Problem::NotFound);
        };
        let mut batch = Batch::new();
        let visit = Visit {
            caller: ticket.ask(&mut batch),
            grant: batch.want(Grant::key_of(ticket.claims.sub, &number)),
            account: batch.want(Account::key_of(&number)),
            charter: batch.want(CurrentDocument::key_of(DocumentKind::Charter)),
            ticket,
            number,
        };
        Ok((visit, batch))
    }
}

impl Visit {
    /// Lets the caller in; whether the account is activated is still to be asked.
    ///
    /// # Errors
    /// `authentication-required`, `not-found` without a grant, `charter-required`, in this order.
    pub fn enter(&self, fetched: &mut Fetched, now: Timestamp) -> Result<AccountDoor, Problem> {
        let caller = self.ticket.admit(&self.caller, fetched, now)?;
        let (Some(grant), Some(account)) = (fetched.take(&self.grant)?, fetched.take(&self.account)?) else {
            return Err(Problem::NotFound);
        };
        let charter = current_of(DocumentKind::Charter, fetched.take(&self.charter)?);
        if caller.user.owes(&charter) {
            return Err(Problem::CharterRequired);
        }
        Ok(AccountDoor { caller, grant, account })
    }
}

impl AccountDoor {
    /// Only for the manager.
    ///
    /// # Errors
    /// `manager-only`.
    pub fn as_manager(self) -> Result<Self, Problem> {
        if self.grant.role == Role::Manager { Ok(self) } else { Err(Problem::ManagerOnly) }
    }

    /// Only where the manager said OUI.
    ///
    /// # Errors
    /// `account-not-activated`.
    pub fn activated(self) -> Result<Self, Problem> {
        if self.account.active { Ok(self) } else { Err(Problem::AccountNotActivated) }
    }
}

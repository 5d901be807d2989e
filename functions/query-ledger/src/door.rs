//! From a call to an account that the caller may read.

use portal::domain::MemberNumber;
use portal::http::{Call, Problem};
use portal::security::{AccountDoor, AccountKeys, Ticket, TicketKeys};
use portal::store::{Batch, Fetched};

use crate::Function;

/// Somebody with a valid token asks for an account; whether they may is in the batch.
pub(crate) struct Visit {
    pub(crate) ticket: Ticket,
    pub(crate) number: MemberNumber,
    caller: TicketKeys,
    account: AccountKeys,
}

impl Function {
    /// Reads the token and the account's number, and asks a batch for what decides.
    ///
    /// # Errors
    /// `authentication-required`, and `not-found` where the number is none.
    pub(crate) async fn visit(&self, call: &Call) -> Result<(Visit, Batch), Problem> {
        let ticket = self.gate.ticket(call).await?;
        let text = call.path("number");
        let number = MemberNumber::parse(text).ok().filter(|number| number.as_str() == text);
        let Some(number) = number else {
            // No such account, but a session that has ended comes first.
            self.gate.caller(call).await?;
            return Err(Problem::NotFound);
        };
        let mut batch = Batch::new();
        let caller = ticket.ask(&mut batch);
        let account = AccountKeys::ask(&mut batch, &ticket, &number);
        Ok((Visit { ticket, number, caller, account }, batch))
    }
}

impl Visit {
    /// Lets the caller in; whether the account is activated is still to be asked.
    ///
    /// # Errors
    /// `authentication-required`, `not-found`, `charter-required`, in this order.
    pub(crate) fn enter(&self, fetched: &mut Fetched, call: &Call) -> Result<AccountDoor, Problem> {
        let caller = self.ticket.admit(&self.caller, fetched, call.now)?;
        self.account.open(&caller, fetched)
    }
}

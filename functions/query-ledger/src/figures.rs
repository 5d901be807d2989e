//! The figures of a transfer as the contract names them; those of actions are the library's.

use portal::domain::{Cents, Paid};
pub(crate) use portal::http::{ActionFigures, PaidBody, TotalsBody};
use portal::store::{Moved, TransferPayee};
use serde::Serialize;

/// What a transfer moved. `amount` is what was sent less what came back, and both sides added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct TransferBody {
    amount: Cents,
    sent: Cents,
    returned: Cents,
    payee: TransferPayee,
    paid_to_company: Cents,
    paid_to_providers: Cents,
}

impl From<Moved> for TransferBody {
    fn from(moved: Moved) -> Self {
        let Paid { to_company, to_providers } = moved.paid();
        Self {
            amount: moved.paid().total(),
            sent: moved.sent.total(),
            returned: moved.returned.total(),
            payee: moved.payee(),
            paid_to_company: to_company,
            paid_to_providers: to_providers,
        }
    }
}

//! Figures as the contract names them.

use serde::Serialize;

use crate::domain::{Cents, Paid};
use crate::store::Measures;

/// What was paid, and to whom. `paid` is always the other two added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PaidBody {
    paid: Cents,
    paid_to_company: Cents,
    paid_to_providers: Cents,
}

impl From<Paid> for PaidBody {
    fn from(paid: Paid) -> Self {
        let Paid { to_company, to_providers } = paid;
        Self { paid: paid.total(), paid_to_company: to_company, paid_to_providers: to_providers }
    }
}

/// The three measures; they make no balance together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TotalsBody {
    #[serde(flatten)]
    of_actions: ActionFigures,
    contributed: Cents,
}

impl TotalsBody {
    /// Those of actions with these figures, and of what is contributed.
    #[must_use]
    pub fn new(of_actions: Measures, contributed: Cents) -> Self {
        Self { of_actions: of_actions.into(), contributed }
    }
}

/// What an action, or many, have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ActionFigures {
    committed: Cents,
    #[serde(flatten)]
    paid: PaidBody,
    in_progress: Cents,
    remaining: Cents,
    overpaid: Cents,
    recovered: Cents,
}

impl From<Measures> for ActionFigures {
    fn from(measures: Measures) -> Self {
        let Measures { committed, paid, in_progress, remaining, overpaid, recovered } = measures;
        Self { committed, paid: paid.into(), in_progress, remaining, overpaid, recovered }
    }
}

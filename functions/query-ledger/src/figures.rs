//! Figures as the contract names them.

use portal::domain::Cents;
use portal::store::{ActionSums, Facet, Move};
use serde::Serialize;

/// The three measures; they make no balance together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct TotalsBody {
    pub(crate) committed: Cents,
    pub(crate) paid: Cents,
    pub(crate) in_progress: Cents,
    pub(crate) contributed: Cents,
}

impl TotalsBody {
    /// Adds the totals of a view.
    pub(crate) fn add(&mut self, sums: Move) {
        self.committed += sums.committed;
        self.paid += sums.paid;
        self.in_progress += sums.in_progress;
        self.contributed += sums.contributed;
    }
}

impl From<Move> for TotalsBody {
    fn from(sums: Move) -> Self {
        let mut body = Self::default();
        body.add(sums);
        body
    }
}

/// What an action, or many, have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ActionFigures {
    committed: Cents,
    paid: Cents,
    in_progress: Cents,
    remaining: Cents,
}

impl From<ActionSums> for ActionFigures {
    fn from(sums: ActionSums) -> Self {
        Self {
            committed: sums.committed,
            paid: sums.paid,
            in_progress: sums.shown_in_progress(),
            remaining: sums.remaining(),
        }
    }
}

impl From<Facet> for ActionFigures {
    fn from(facet: Facet) -> Self {
        Self {
            committed: facet.committed,
            paid: facet.paid,
            in_progress: facet.in_progress,
            remaining: facet.committed - facet.paid,
        }
    }
}

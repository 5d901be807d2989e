//! What a file adds up to.

use portal::domain::{Cents, Paid};
use portal::store::{Entry, Totals};

/// What rows, or totals, come to: where the two are equal the file is what the portal shows. "In progress" is no sum of
/// rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums {
    committed: Cents,
    paid: Paid,
    contributed: Cents,
}

impl Sums {
    /// Counts a row.
    pub fn add(&mut self, entry: &Entry) {
        let effect = entry.effect();
        self.committed += effect.committed;
        self.paid += effect.paid;
        self.contributed += effect.contributed;
    }

    /// What the contributions of some views come to.
    #[must_use]
    pub fn of_contributions(totals: &[Totals]) -> Self {
        let contributed = totals.iter().fold(Cents::ZERO, |sum, totals| sum + totals.contributed);
        Self { contributed, ..Self::default() }
    }

    /// What the totals of some views come to.
    #[must_use]
    pub fn of(totals: &[Totals]) -> Self {
        totals.iter().fold(Self::default(), |sums, totals| Self {
            committed: sums.committed + totals.sums.committed,
            paid: sums.paid + totals.sums.paid,
            contributed: sums.contributed + totals.contributed,
        })
    }
}

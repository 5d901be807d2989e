//! The sum in progress of an action, matched by the numbers of invoices.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::domain::{Cents, ShortText, to_hex};

/// The most numbers of invoices with something open, or paid ahead, that an action tells apart: 25 KB of its item.
const MOST_INVOICES: usize = 1_000;

/// Received - rejected - payments + returned of each invoice that entries of an action name, where that is not nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoices {
    /// By the beginning of the SHA-256 of their numbers, because a number may be long.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sums: BTreeMap<String, Cents>,
    /// True where they were too many: then nothing is told apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    too_many: bool,
}

impl Invoices {
    /// Returns true where nothing is told apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty() && !self.too_many
    }

    /// Returns true where more invoices had something open than are told apart.
    #[must_use]
    pub fn are_too_many(&self) -> bool {
        self.too_many
    }

    /// The sums after an entry that moves what is in progress by this much and names this invoice.
    #[must_use]
    pub fn after(mut self, amount: Cents, invoice: Option<&ShortText>) -> Self {
        if let Some(invoice) = invoice {
            self.add(name_of(invoice), amount);
        }
        self
    }

    /// The sum in progress where it is `whole` of all entries together, with a number or without. Never below zero.
    ///
    /// A payment of an invoice pays that invoice. What it pays beyond it, or ahead of it, hides nothing that is open of another
    /// one, but pays what was invoiced without a number. A payment without a number pays whatever is open.
    #[must_use]
    pub fn in_progress(&self, whole: Cents) -> Cents {
        let (mut open, mut numbered) = (Cents::ZERO, Cents::ZERO);
        for sum in self.sums.values() {
            open += sum.or_zero();
            numbered += *sum;
        }
        let (ahead, unnumbered) = (open - numbered, whole - numbered);
        if unnumbered.0 > 0 { open + (unnumbered - ahead).or_zero() } else { (open + unnumbered).or_zero() }
    }

    fn add(&mut self, name: String, amount: Cents) {
        let sum = self.sums.get(&name).copied().unwrap_or_default() + amount;
        if self.too_many || sum == Cents::ZERO {
            self.sums.remove(&name);
        } else {
            self.sums.insert(name, sum);
        }
        if self.sums.len() > MOST_INVOICES {
            *self = Self { sums: BTreeMap::new(), too_many: true };
        }
    }
}

impl std::ops::Add for Invoices {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        if self.too_many || other.too_many {
            return Self { sums: BTreeMap::new(), too_many: true };
        }
        other.sums.into_iter().for_each(|(name, amount)| Self::add(&mut self, name, amount));
        self
    }
}

/// The name under which an invoice's sum is kept.
fn name_of(invoice: &ShortText) -> String {
    to_hex(&digest(&SHA256, invoice.as_str().as_bytes()).as_ref()[..8])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Moves<'a> = &'a [(&'a str, i64)];

    /// The sum in progress after these moves, each of a number or of none.
    fn sums(moves: Moves<'_>) -> (Cents, Invoices) {
        moves.iter().fold((Cents::ZERO, Invoices::default()), |(whole, invoices), (number, cents)| {
            (whole + Cents(*cents), invoices.after(Cents(*cents), ShortText::parse(number).ok().as_ref()))
        })
    }

    fn shown(moves: Moves<'_>) -> Cents {
        let (whole, invoices) = sums(moves);
        invoices.in_progress(whole)
    }

    #[test]
    fn a_payment_of_an_invoice_hides_nothing_of_another_one() {
        for (says, moves, expected) in [
            ("an invoice", &[("X", 500)][..], 500),
            ("and its payment", &[("X", 500), ("X", -500)], 0),
            ("paid ahead, then an invoice of something else", &[("X", -500), ("Y", 300)], 300),
            ("and when the invoice of what was paid comes", &[("X", -500), ("Y", 300), ("X", 500)], 300),
            (
                "rejected behind its payment, beside another one",
                &[("X", 500), ("X", -500), ("X", -500), ("Y", 300)],
                300,
            ),
            ("returned by the bank", &[("X", 500), ("X", -500), ("X", 500)], 500),
            ("a payment that names no invoice pays any", &[("X", 500), ("Y", 300), ("", -600)], 200),
            ("and more than there is is nothing", &[("X", 500), ("", -600)], 0),
            ("an invoice without a number is paid by whichever payment", &[("", 500), ("X", -300)], 200),
            ("but not twice", &[("", 500), ("X", -600), ("Y", 40)], 40),
            ("nothing has a number", &[("", 500), ("", -800)], 0),
        ] {
            assert_eq!(shown(moves), Cents(expected), "{says}");
        }
    }

    #[test]
    fn what_is_too_much_to_tell_apart_is_one_sum() {
        let moves = |number: usize| {
            let names = (0..number).map(|n| ShortText::parse(&format!("F-{n}")).unwrap());
            let all = names.fold(Invoices::default(), |invoices, name| invoices.after(Cents(1), Some(&name)));
            let paid = all.after(Cents(-11), ShortText::parse("F-0").ok().as_ref());
            (paid.are_too_many(), paid.in_progress(Cents(i64::try_from(number).unwrap() - 11)))
        };
        assert_eq!(moves(MOST_INVOICES), (false, Cents(999)));
        assert_eq!(moves(MOST_INVOICES + 1), (true, Cents(990)));
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter_and_reversals_take_all_back(
            (moves, shuffled) in prop::collection::vec((0..4_usize, -9_i64..9), 0..12)
                .prop_flat_map(|moves| (Just(moves.clone()), Just(moves).prop_shuffle())),
        ) {
            let named = |moves: &[(usize, i64)]| -> Vec<(&str, i64)> {
                moves.iter().map(|(number, cents)| (["", "X", "Y", "Z"][*number], *cents)).collect()
            };
            let (moves, shuffled) = (named(&moves), named(&shuffled));
            prop_assert_eq!(sums(&moves), sums(&shuffled));
            let back: Vec<_> = shuffled.iter().map(|(number, cents)| (*number, -cents)).collect();
            prop_assert_eq!(sums(&[moves.clone(), back].concat()), (Cents::ZERO, Invoices::default()));
            let (first, second) = moves.split_at(moves.len() / 2);
            let (first, second) = (sums(first), sums(second));
            prop_assert_eq!((first.0 + second.0, first.1 + second.1), sums(&moves));
            prop_assert!(shown(&moves).0 >= sums(&moves).0.0.max(0), "never less than all together");
        }
    }
}

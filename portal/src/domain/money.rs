//! Money: whole cents, never floats.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// A signed amount in cents.
///
/// An entry is at most 10^12 cents, so 9 million entries of the largest size fit before an `i64` does
/// not; sums saturate there rather than wrap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// This amount, or nothing where it is negative.
    #[must_use]
    pub fn or_zero(self) -> Self {
        Self(self.0.max(0))
    }
}

impl Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// As the fund shows it: `1 234,56 €`, with U+202F between thousands and U+00A0 before the sign.
impl fmt::Display for Cents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let euros = (magnitude / 100).to_string();
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        for (index, digit) in euros.chars().enumerate() {
            if index > 0 && (euros.len() - index).is_multiple_of(3) {
                formatter.write_str("\u{202f}")?;
            }
            write!(formatter, "{digit}")?;
        }
        write!(formatter, ",{:02}\u{a0}€", magnitude % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_read_as_in_french() {
        assert_eq!(Cents(123_456).to_string(), "1\u{202f}234,56\u{a0}€");
        assert_eq!(Cents(-5).to_string(), "-0,05\u{a0}€");
        assert_eq!(Cents(100_000_000).to_string(), "1\u{202f}000\u{202f}000,00\u{a0}€");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_the_amount_to_the_cent(amount in any::<i64>()) {
            let shown: String = Cents(amount).to_string().chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
            prop_assert_eq!(shown.parse::<i64>().unwrap(), amount);
        }

        #[test]
        fn adding_and_taking_away_gives_back(a in -1_000_000_000_000_i64..1_000_000_000_000, b in -1_000_000_000_000_i64..1_000_000_000_000) {
            prop_assert_eq!(Cents(a) + Cents(b) - Cents(b), Cents(a));
            prop_assert_eq!(-(-Cents(a)), Cents(a));
        }
    }
}

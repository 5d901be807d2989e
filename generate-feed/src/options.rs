//! What a feed is made from: its arguments and their bounds.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{self, Date};

use crate::members::LARGE_ACCOUNT_INDEX;

/// The arguments of a feed. Equal arguments give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many establishments, 1 to [`Options::MOST_ESTABLISHMENTS`].
    pub establishments: u32,
    /// The years told; nothing of a later date is in the feed.
    pub years: Years,
    /// Chooses one of the many possible histories.
    pub seed: u64,
    /// Name of the batch, 1 to 64 of `[A-Za-z0-9._-]`.
    pub batch_id: String,
    /// One account is given exactly this many entries.
    pub large_account: Option<u32>,
}

impl Options {
    /// Member numbers have six digits, so there cannot be more establishments than that.
    pub const MOST_ESTABLISHMENTS: u32 = 1_000_000;

    /// The large account first gets its contributions, about three a year; below this bound there
    /// would be no room for actions.
    pub const SMALLEST_LARGE_ACCOUNT: u32 = 500;

    /// Says what is wrong with the arguments, if anything.
    ///
    /// # Errors
    ///
    /// The first bound that is not kept.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        if !(1..=Self::MOST_ESTABLISHMENTS).contains(&self.establishments) {
            return Err(InvalidOptions::Establishments(self.establishments));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&self.batch_id.len()) || !self.batch_id.bytes().all(allowed) {
            return Err(InvalidOptions::BatchId);
        }
        if let Some(entries) = self.large_account {
            if entries < Self::SMALLEST_LARGE_ACCOUNT {
                return Err(InvalidOptions::LargeAccountTooSmall(entries));
            }
            if self.establishments <= LARGE_ACCOUNT_INDEX {
                return Err(InvalidOptions::NoRoomForLargeAccount);
            }
        }
        Ok(())
    }
}

/// An unbroken range of calendar years, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Years {
    first: i16,
    last: i16,
}

impl Years {
    /// A longer history than this is a slip of the keyboard.
    const LONGEST: i16 = 50;

    /// The range from `first` to `last`, inside 1990 to 2100 and at most 50 years long.
    ///
    /// # Errors
    ///
    /// [`InvalidOptions::Years`] for a range that ends before it starts or leaves these bounds.
    pub fn new(first: i16, last: i16) -> Result<Self, InvalidOptions> {
        let inside = (1990..=2100).contains(&first) && (first..=2100).contains(&last);
        if inside && last - first < Self::LONGEST { Ok(Self { first, last }) } else { Err(InvalidOptions::Years) }
    }

    /// The first year.
    #[must_use]
    pub fn first(self) -> i16 {
        self.first
    }

    /// The last year.
    #[must_use]
    pub fn last(self) -> i16 {
        self.last
    }

    /// The years in order.
    pub fn iter(self) -> impl Iterator<Item = i16> {
        self.first..=self.last
    }

    /// The last day that the feed knows about.
    #[must_use]
    pub fn horizon(self) -> Date {
        civil::date(self.last, 12, 31)
    }

    /// When such a feed would have been sent: in the second night after the last year. Taken from
    /// the years and not from a clock, for the bytes must not change from run to run.
    #[must_use]
    pub fn closing_instant(self) -> String {
        format!("{}-01-02T02:00:00Z", self.last + 1)
    }
}

impl FromStr for Years {
    type Err = InvalidOptions;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => Self::new(first, last),
            _ => Err(InvalidOptions::Years),
        }
    }
}

impl fmt::Display for Years {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

/// Arguments that no feed can be made from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOptions {
    /// Too few or too many establishments.
    #[error("{0} establishments: there may be 1 to 1,000,000")]
    Establishments(u32),
    /// No range of years.
    #[error("years are given as 2009-2016, or one year, within 1990 and 2100 and at most 50 of them")]
    Years,
    /// No identifier of the feed's format.
    #[error("a batch id has 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    BatchId,
    /// Too few entries to be called large.
    #[error("a large account of {0} entries: it needs at least 500")]
    LargeAccountTooSmall(u32),
    /// The large account has a fixed place, which this feed does not reach.
    #[error("a feed with a large account has at least 6 establishments")]
    NoRoomForLargeAccount,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            establishments: 40,
            years: Years::new(2009, 2016).unwrap(),
            seed: 1,
            batch_id: "b".to_owned(),
            large_account: None,
        }
    }

    #[test]
    fn years_are_a_range_or_one_year() {
        assert_eq!("2009-2016".parse(), Years::new(2009, 2016));
        assert_eq!("2012".parse(), Years::new(2012, 2012));
        for wrong in ["", "-", "2016-2009", "2009-", "1200-1201", "1990-2100", "2009-2016-2017"] {
            assert_eq!(wrong.parse::<Years>(), Err(InvalidOptions::Years), "{wrong}");
        }
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(options().validate(), Ok(()));
        let none = Options { establishments: 0, ..options() };
        assert_eq!(none.validate(), Err(InvalidOptions::Establishments(0)));
        for batch_id in ["", "a b", "é", &"x".repeat(65)] {
            let named = Options { batch_id: batch_id.to_owned(), ..options() };
            assert_eq!(named.validate(), Err(InvalidOptions::BatchId), "{batch_id}");
        }
        let small = Options { large_account: Some(499), ..options() };
        assert_eq!(small.validate(), Err(InvalidOptions::LargeAccountTooSmall(499)));
        let few = Options { establishments: 5, large_account: Some(1500), ..options() };
        assert_eq!(few.validate(), Err(InvalidOptions::NoRoomForLargeAccount));
    }
}

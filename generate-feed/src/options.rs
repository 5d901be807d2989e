//! What a feed is made from: its arguments and their bounds.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{self, Date};

use crate::calendar::year_end;
use crate::expected::Days;
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
    /// Member numbers have six digits. One of them stays free, for lines that name no member.
    pub const MOST_ESTABLISHMENTS: u32 = 999_999;

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
}

/// How a feed is sent: it changes the lines, and not what the accounts are in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sending {
    /// With corrections, repeats, records out of order and bad lines.
    pub troubles: bool,
    /// In how many batches.
    pub batches: Batches,
}

/// In how many batches a feed is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Batches {
    /// In one, with each action as it is on the last day.
    #[default]
    Whole,
    /// In one for each year, with each action as it was at the end of that year.
    Yearly,
}

impl Sending {
    /// Says what is wrong with sending this feed so, if anything.
    ///
    /// # Errors
    ///
    /// [`InvalidOptions::YearlyBatchId`] where the year does not fit behind the name of the batch.
    pub fn validate(self, options: &Options) -> Result<(), InvalidOptions> {
        let too_long = self.batches == Batches::Yearly && options.batch_id.len() > 59;
        if too_long { Err(InvalidOptions::YearlyBatchId) } else { Ok(()) }
    }

    /// How many batches there are.
    #[must_use]
    pub fn count(self, options: &Options) -> usize {
        self.parts(options).len()
    }

    /// The batches in their order: name and days.
    pub(crate) fn parts(self, options: &Options) -> Vec<(String, Days)> {
        let years = options.years;
        match self.batches {
            Batches::Whole => vec![(options.batch_id.clone(), Days { after: None, last: years.horizon() })],
            Batches::Yearly => years
                .iter()
                .map(|year| {
                    let after = (year > years.first()).then(|| year_end(year - 1));
                    (format!("{}-{year}", options.batch_id), Days { after, last: year_end(year) })
                })
                .collect(),
        }
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
    #[error("{0} establishments: there may be 1 to 999,999")]
    Establishments(u32),
    /// No range of years.
    #[error("years are given as 2009-2016, or one year, within 1990 and 2100 and at most 50 of them")]
    Years,
    /// No identifier of the feed's format.
    #[error("a batch id has 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    BatchId,
    /// No room for the year behind it.
    #[error("of yearly batches the id has at most 59 characters, for the year goes behind it")]
    YearlyBatchId,
    /// Not a pair of writers for each batch.
    #[error("{batches} batches need as many pairs of writers, and there are {writers}")]
    Writers {
        /// How many batches there are.
        batches: usize,
        /// How many pairs of writers.
        writers: usize,
    },
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
        let most = Options { establishments: 1_000_000, ..options() };
        assert_eq!(most.validate(), Err(InvalidOptions::Establishments(1_000_000)));
        let long = Options { batch_id: "x".repeat(60), ..options() };
        assert_eq!(Sending::default().validate(&long), Ok(()));
        let yearly = Sending { batches: Batches::Yearly, ..Sending::default() };
        assert_eq!(yearly.validate(&long), Err(InvalidOptions::YearlyBatchId));
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

//! How many, how much, when: the fund's figures, and the dice to draw from them.
//!
//! Everything is sampled with integers. Floating point would be the same on most machines, its
//! logarithms and powers are not; and the sampling functions of rand may change with a release.

use jiff::civil::{self, Date};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What a stream of dice is for. Each purpose of each establishment has its own, so that a change
/// to what members look like does not reshuffle every ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Company = 1,
    Member = 2,
    Actions = 3,
    Contributions = 4,
    Troubles = 5,
    /// Of actions: what goes on after the ordinary course of things, or instead of it.
    Oddities = 6,
}

/// Dice, loaded by seed, establishment and purpose.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, index: u32, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..12].copy_from_slice(&index.to_le_bytes());
        key[12] = purpose as u8;
        Self(ChaCha8Rng::from_seed(key))
    }

    /// One of `0..bound`; 0 when `bound` is 0. By multiplication, biased by less than
    /// `bound / 2^64`, which no ledger shows.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// One of `low..=high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.below(width)).unwrap_or_default()
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap_or_default();
        from.get(place).copied()
    }

    /// The place of one of the weights, each as likely as it is heavy.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total = weights.clone().map(u64::from).sum();
        let mut rest = self.below(total);
        for (place, weight) in weights.enumerate() {
            match rest.checked_sub(u64::from(weight)) {
                Some(less) => rest = less,
                None => return place,
            }
        }
        0
    }

    /// How often something happens that happens `mean_milli / 1000` times on average: nearly a
    /// Poisson count, drawn as four possible occasions for each expected one.
    pub(crate) fn count(&mut self, mean_milli: u64) -> u64 {
        let occasions = 4 * mean_milli.div_ceil(1000);
        (0..occasions).filter(|_| self.below(occasions * 1000) < mean_milli).count() as u64
    }

    /// A day of `year`, late ones more likely.
    pub(crate) fn day_of(&mut self, year: i16) -> Date {
        let month = self.weighted(MONTH_WEIGHTS.into_iter());
        let first = civil::date(year, i8::try_from(month).unwrap_or_default() + 1, 1);
        let day = self.below(u64::from(first.days_in_month().unsigned_abs()));
        crate::calendar::after(first, u32::try_from(day).unwrap_or_default())
    }

    /// What training one person costs, in cents: log-normal, on average [`MEAN_PER_TRAINEE`], never
    /// more than 7.2 times that.
    pub(crate) fn cents_per_trainee(&mut self) -> u64 {
        let steps = LOG_NORMAL.len() - 1;
        let place = usize::try_from(self.below(steps as u64)).unwrap_or_default();
        let (low, high) = (LOG_NORMAL[place], LOG_NORMAL[place + 1]);
        let factor = low + self.below(high - low);
        MEAN_PER_TRAINEE * factor / 10_000
    }
}

/// 729.00 EUR, the fund's average for one trainee.
const MEAN_PER_TRAINEE: u64 = 72_900;

/// A log-normal distribution of mean 1 and sigma 0.8, as ten-thousandths: its quantiles at 0.2 %,
/// each 64th, and 99.8 %. A draw takes a point between two neighbours; the last is the cap.
const LOG_NORMAL: [u64; 65] = [
    725, 1293, 1633, 1896, 2124, 2331, 2524, 2709, 2887, 3060, 3230, 3397, 3563, 3728, 3893, 4058, 4224, 4391, 4559,
    4729, 4901, 5075, 5252, 5432, 5615, 5802, 5993, 6189, 6389, 6594, 6805, 7022, 7246, 7476, 7715, 7961, 8217, 8483,
    8760, 9048, 9349, 9665, 9996, 10345, 10712, 11102, 11515, 11956, 12428, 12936, 13484, 14080, 14733, 15453, 16255,
    17157, 18186, 19381, 20797, 22525, 24722, 27692, 32155, 40588, 72451,
];

/// When files are lodged, January to December, in per cent: little in the builders' August, most
/// at the end of the year, when plans are used up.
const MONTH_WEIGHTS: [u32; 12] = [7, 7, 8, 7, 7, 7, 4, 2, 8, 13, 15, 15];

/// Establishments of about one size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    /// Fewest and most employees.
    pub employees: (u32, u32),
    /// Out of 100,000 establishments.
    pub share: u32,
    /// Actions a year, in thousandths.
    pub actions_milli: u64,
    /// The largest number of trainees that one action has.
    pub largest_group: u32,
}

impl Bracket {
    /// How the fund's file words the size. Its bands are wider than these brackets.
    pub(crate) fn headcount_band(&self) -> &'static str {
        match self.employees.0 {
            0..=9 => "1-9",
            10..=49 => "10-49",
            50..=249 => "50-249",
            250..=999 => "250-999",
            _ => "1000+",
        }
    }

    pub(crate) fn draw(draw: &mut Draw) -> &'static Self {
        &BRACKETS[draw.weighted(BRACKETS.iter().map(|bracket| bracket.share))]
    }

    /// The bracket whose accounts come nearest to this many entries a year. An action brings five
    /// to six.
    pub(crate) fn with_entries(entries_a_year: u32) -> &'static Self {
        let actions_milli = u64::from(entries_a_year) * 1000 / 6;
        BRACKETS.iter().min_by_key(|bracket| bracket.actions_milli.abs_diff(actions_milli)).unwrap_or(&BRACKETS[0])
    }
}

/// The fund's establishments by size.
pub(crate) const BRACKETS: [Bracket; 9] = [
    bracket((1, 2), 42_000, 160, 1),
    bracket((3, 5), 28_000, 450, 2),
    bracket((6, 9), 16_500, 950, 2),
    bracket((10, 19), 8_500, 1_900, 3),
    bracket((20, 49), 3_800, 4_200, 4),
    bracket((50, 99), 750, 9_500, 6),
    bracket((100, 249), 300, 20_000, 8),
    bracket((250, 999), 130, 55_000, 10),
    bracket((1_000, 4_000), 20, 300_000, 12),
];

const fn bracket(employees: (u32, u32), share: u32, actions_milli: u64, largest_group: u32) -> Bracket {
    Bracket { employees, share, actions_milli, largest_group }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw() -> Draw {
        Draw::new(7, 0, Purpose::Actions)
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(BRACKETS.iter().map(|bracket| bracket.share).sum::<u32>(), 100_000);
        assert_eq!(MONTH_WEIGHTS.iter().sum::<u32>(), 100);
    }

    #[test]
    fn the_stream_is_pinned() {
        // A change of these numbers changes every feed ever made: rand or its algorithm moved.
        let mut draw = Draw::new(1, 2, Purpose::Member);
        let drawn: Vec<u64> = (0..4).map(|_| draw.below(1_000_000)).collect();
        assert_eq!(drawn, [655_235, 480_486, 714_735, 920_709]);
    }

    #[test]
    fn streams_of_neighbours_and_purposes_differ() {
        let first = |seed, index, purpose| Draw::new(seed, index, purpose).below(u64::MAX);
        let one = first(1, 1, Purpose::Actions);
        assert_ne!(one, first(2, 1, Purpose::Actions));
        assert_ne!(one, first(1, 2, Purpose::Actions));
        assert_ne!(one, first(1, 1, Purpose::Member));
    }

    #[test]
    fn amounts_average_729_euros_and_are_capped() {
        let mut draw = draw();
        let amounts: Vec<u64> = (0..100_000).map(|_| draw.cents_per_trainee()).collect();
        let mean = amounts.iter().sum::<u64>() / 100_000;
        assert!((72_000..73_800).contains(&mean), "{mean}");
        assert!(amounts.iter().all(|cents| (5_000..530_000).contains(cents)));
    }

    #[test]
    fn counts_have_their_mean() {
        let mut draw = draw();
        for mean_milli in [160, 950, 4_200, 55_000] {
            let total: u64 = (0..4_000).map(|_| draw.count(mean_milli)).sum();
            let found = total / 4;
            assert!(found.abs_diff(mean_milli) <= 40 + mean_milli / 50, "{mean_milli}: {found}");
        }
    }

    #[test]
    fn the_last_quarter_has_the_peak() {
        let mut draw = draw();
        let late = (0..10_000).filter(|_| draw.day_of(2012).month() >= 10).count();
        assert!((4_100..4_500).contains(&late), "{late}");
    }

    #[test]
    fn draws_stay_inside_their_bounds() {
        let mut draw = draw();
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.below(1), 0);
        assert_eq!(draw.pick::<u8>(&[]), None);
        assert_eq!(draw.count(0), 0);
        assert!((0..1_000).all(|_| (3..=5).contains(&draw.between(3, 5))));
        assert!((0..1_000).all(|_| draw.weighted([0, 1, 0].into_iter()) == 1));
    }

    #[test]
    fn a_large_account_is_a_large_establishment() {
        assert_eq!(Bracket::with_entries(188).employees, (100, 249));
        assert_eq!(Bracket::with_entries(12_500).employees, (1_000, 4_000));
    }
}

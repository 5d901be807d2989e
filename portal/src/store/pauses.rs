//! Pauses between attempts where DynamoDB says that it is not the moment: doubled each time, jittered, and counted.
//!
//! The SDK waits for throttles and lost answers by itself. It does not wait for these, which come in an answer or
//! count as the caller's own fault: a transaction at the item, a transaction that was cancelled, and keys of a batch
//! that were not read.

use std::time::Duration;

use rand::{CryptoRng, RngExt as _};

/// The longest that the first pause takes.
const FIRST: Duration = Duration::from_millis(4);

/// The pauses of one call.
#[derive(Debug)]
pub(super) struct Pauses {
    taken: u32,
    most: u32,
    /// How often the first pause is doubled.
    doublings: u32,
}

impl Pauses {
    /// Between writes of which others hold an item. With 64 callers racing for one item each of them finds out within
    /// these ten attempts, as the first to get through ends the race for all: half a second to a second in all.
    pub(super) fn between_writes() -> Self {
        Self { taken: 0, most: 9, doublings: 5 }
    }

    /// Between calls that find no capacity, or bring nothing of a batch: some three to five seconds in all, of the nine
    /// that a request has.
    pub(super) fn without_capacity() -> Self {
        Self { taken: 0, most: 16, doublings: 7 }
    }

    /// The next pause; `None` where there were enough of them.
    pub(super) fn next(&mut self, rng: &mut impl CryptoRng) -> Option<Duration> {
        if self.taken == self.most {
            return None;
        }
        let longest = FIRST * (1 << self.taken.min(self.doublings));
        self.taken += 1;
        Some(longest.mul_f64(rng.random_range(0.5..1.0)))
    }

    /// Begins again with the first: something came of the last attempt.
    pub(super) fn begin_again(&mut self) {
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn all_of(mut pauses: Pauses, seed: u64) -> Vec<Duration> {
        let mut rng = StdRng::seed_from_u64(seed);
        std::iter::from_fn(|| pauses.next(&mut rng)).collect()
    }

    #[test]
    fn pauses_double_up_to_a_longest_and_end() {
        for (pauses, most, longest) in
            [(Pauses::between_writes as fn() -> Pauses, 9, 128), (Pauses::without_capacity, 16, 512)]
        {
            for seed in 0..50 {
                let taken = all_of(pauses(), seed);
                assert_eq!(taken.len(), most);
                for (number, pause) in taken.iter().enumerate() {
                    let full = Duration::from_millis((4 << number.min(20)).min(longest));
                    assert!(*pause >= full / 2 && *pause < full, "the pause {number} takes {pause:?}");
                }
            }
            assert_ne!(all_of(pauses(), 1), all_of(pauses(), 2), "no two callers pause alike");
        }
    }

    #[test]
    fn a_request_outlasts_the_pauses_of_a_batch() {
        for seed in 0..50 {
            let all: Duration = all_of(Pauses::without_capacity(), seed).iter().sum();
            assert!(all > Duration::from_secs(2) && all < Duration::from_secs(6), "they take {all:?}");
        }
    }

    #[test]
    fn pauses_begin_again_where_something_came() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut pauses = Pauses::without_capacity();
        for _ in 0..100 {
            let pause = pauses.next(&mut rng).expect("they do not end while something comes");
            assert!(pause < FIRST);
            pauses.begin_again();
        }
    }
}

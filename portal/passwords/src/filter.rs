//! A set of words as two binary fuse filters, in bytes that are used where they lie in the binary.

use aws_lc_rs::digest::{SHA256, digest};
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef};

/// A set that holds all its entries and takes one other word in 65,536 for an entry.
///
/// Two filters that each err once in 256 err together once in 65,536, and hold bytes only: no alignment, no byte order.
pub(crate) struct WordFilter<'a>(&'a [u8]);

impl<'a> WordFilter<'a> {
    /// The filter that [`build`] made.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns `true` for every entry, and by mistake for one other word in 65,536.
    pub(crate) fn contains(&self, word: WordHash) -> bool {
        let (firsts, seconds) = self.0.split_at(self.0.len() / 2);
        [(firsts, word.0), (seconds, word.1)].into_iter().all(|(filter, key)| {
            let (descriptor, fingerprints) = filter.split_at(BinaryFuse8::DESCRIPTOR_LEN);
            BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
        })
    }
}

/// The halves of a hash that is the same in every version of every library.
#[derive(Clone, Copy)]
pub(crate) struct WordHash(u64, u64);

impl WordHash {
    /// The hash of a word.
    pub(crate) fn of(word: &str) -> Self {
        let hash = digest(&SHA256, word.as_bytes());
        let half = |from| hash.as_ref().iter().skip(from).take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
        Self(half(0), half(8))
    }
}

/// Builds the filter of a list. The same entries, in whatever order, make the same bytes.
///
/// # Errors
/// Where no filter is found in a thousand attempts.
pub fn build(words: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Vec<u8>, &'static str> {
    let hashes = words.into_iter().map(|word| WordHash::of(word.as_ref()));
    let (mut firsts, mut seconds): (Vec<u64>, Vec<u64>) = hashes.map(|hash| (hash.0, hash.1)).unzip();
    let mut filters = Vec::new();
    for keys in [&mut firsts, &mut seconds] {
        keys.sort_unstable();
        keys.dedup();
        let filter = BinaryFuse8::try_from(&*keys)?;
        let mut descriptor = [0; BinaryFuse8::DESCRIPTOR_LEN];
        filter.dma_copy_descriptor_to(&mut descriptor);
        filters.extend(descriptor);
        filters.extend(filter.dma_fingerprints());
    }
    Ok(filters)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn a_filter_finds_all_its_entries_and_is_the_same_in_any_order() {
        let mut rng = StdRng::seed_from_u64(32);
        let mut random = || (0..12).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect::<String>();
        let entries: BTreeSet<String> = (0..5_000).map(|_| random()).collect();
        let filter = build(&entries).unwrap();
        assert!(entries.iter().all(|entry| WordFilter::new(&filter).contains(WordHash::of(entry))));
        assert_eq!(filter, build(entries.iter().rev()).unwrap());
    }
}

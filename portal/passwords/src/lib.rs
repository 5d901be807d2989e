//! Whether a password is a common one.
//!
//! The list is a file of this package: two binary fuse filters of 8 bits, 18 bits an entry in all. It is used
//! where it lies in the binary; nothing is read or built at the start. `make.sh` makes it again
//! (`docs/decisions/0032-common-passwords.md`).

use aws_lc_rs::digest::{SHA256, digest};
use unicode_normalization::UnicodeNormalization;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};
use zeroize::Zeroizing;

/// How many digits and signs at the end do not make a common password an uncommon one.
///
/// The list has a million entries, ranked: 10^6 guesses. Two digits make them 10^8, which is where zxcvbn's
/// score of 3 begins; what is longer is worth its guesses.
pub const APPENDED: usize = 2;

/// The shortest entry, in code points: what remains of a password of 12.
pub const SHORTEST: usize = 12 - APPENDED;

/// The filter over the first half of a hash, then the one over the second, equally long.
static FILTERS: &[u8] = include_bytes!("../common.filter");

/// Whether a password, in NFC, is on the list: in any case, and with up to [`APPENDED`] more at its end.
#[must_use]
pub fn is_common(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    let mut rest = password.as_str();
    for _ in 0..APPENDED {
        if is_listed(FILTERS, rest) {
            return true;
        }
        match rest.char_indices().next_back() {
            Some((at, last)) if !last.is_alphabetic() => rest = &rest[..at],
            _ => return false,
        }
    }
    is_listed(FILTERS, rest)
}

/// Makes the filters of a list. The same entries, in whatever order, make the same bytes.
///
/// # Errors
/// Where no filter is found in a thousand attempts.
pub fn make<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>, &'static str> {
    let entries = list.into_iter().map(|entry| entry.nfc().collect::<String>().to_lowercase());
    let (mut firsts, mut seconds): (Vec<u64>, Vec<u64>) =
        entries.filter(|entry| entry.chars().count() >= SHORTEST).map(|entry| keys(&entry)).unzip();
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

/// Two filters that each err once in 256 err together once in 65,536, and hold bytes only: no alignment, no
/// byte order.
fn is_listed(filters: &[u8], entry: &str) -> bool {
    let (first, second) = keys(entry);
    let (firsts, seconds) = filters.split_at(filters.len() / 2);
    [(firsts, first), (seconds, second)].into_iter().all(|(filter, key)| {
        let (descriptor, fingerprints) = filter.split_at(BinaryFuse8::DESCRIPTOR_LEN);
        BinaryFuse8Ref::from_dma(descriptor, fingerprints).contains(&key)
    })
}

/// The halves of a hash that will be the same in every version of every library.
fn keys(entry: &str) -> (u64, u64) {
    let hash = digest(&SHA256, entry.as_bytes());
    let half = |from| hash.as_ref().iter().skip(from).take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
    (half(0), half(8))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random(rng: &mut StdRng, length: usize) -> String {
        (0..length).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect()
    }

    #[test]
    fn listed_passwords_are_common_in_any_case_and_with_a_little_more() {
        for common in ["123456789012", "qwertyuiop12", "azertyuiop123", "iloveyou1234", "q1w2e3r4t5y6"] {
            assert!(is_common(common), "{common}");
        }
        for common in ["IloveYou1234", "AZERTYUIOP123", "qwertyuiop12!", "qwertyuiop1299", "Constantine7!"] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn what_is_not_listed_is_not_common() {
        for uncommon in ["", "é", "truelle béton mésange 41", "azertyuiop123!!!", "qwertyuiop12mésange", "!?1234"] {
            assert!(!is_common(uncommon), "{uncommon}");
        }
    }

    #[test]
    fn one_random_string_in_65536_passes_for_common() {
        let mut rng = StdRng::seed_from_u64(32);
        let found = (0..300_000).filter(|_| is_common(&random(&mut rng, 14))).count();
        // 4.6 are expected, and 16 or more in one run of 20,000.
        assert!(found < 16, "{found} of 300,000");
    }

    #[test]
    fn a_filter_finds_all_its_entries_and_is_the_same_in_any_order() {
        let mut rng = StdRng::seed_from_u64(32);
        let entries: BTreeSet<String> = (0..5_000).map(|_| random(&mut rng, 12)).collect();
        let filters = make(entries.iter().map(String::as_str)).unwrap();
        assert!(entries.iter().all(|entry| is_listed(&filters, entry)));
        assert_eq!(filters, make(entries.iter().rev().map(String::as_str)).unwrap());
    }

    #[test]
    fn entries_are_composed_lowered_and_long_enough() {
        let filters = make(["BE\u{301}TONNI\u{c8}RES", "mot-court", "tout-juste"]).unwrap();
        assert!(is_listed(&filters, "b\u{e9}tonni\u{e8}res"));
        assert!(is_listed(&filters, "tout-juste"));
        assert!(!is_listed(&filters, "mot-court"));
    }
}

//! The list of common passwords.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::filter::{WordFilter, WordHash};
use crate::fold::fold;

/// How many digits and signs at the end do not make a common password an uncommon one.
///
/// The list has a million entries, ranked: 10^6 guesses. Two digits make them 10^8, which is where zxcvbn's
/// score of 3 begins; what is longer is worth its guesses.
pub const APPENDED: usize = 2;

/// The shortest entry, in code points: what remains of a password of 12.
pub const SHORTEST: usize = 12 - APPENDED;

static COMMON: WordFilter<'static> = WordFilter::new(include_bytes!("../common.filter"));

/// Returns `true` for a password, in NFC, that is on the list: in any case, and with up to [`APPENDED`] more at its end; or that is
/// there once accents, or also spaces and signs, or also the digits at its end are taken away.
#[must_use]
pub fn is_common(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    let folded = fold(&password);
    let mut plain = Zeroizing::new(String::with_capacity(folded.len()));
    plain.extend(folded.chars().filter(|character| character.is_alphanumeric()));
    let letters = plain.trim_end_matches(|character: char| character.is_ascii_digit());
    is_listed_with_more(&password)
        || *folded != *password && is_listed_with_more(&folded)
        || *plain != *folded && is_listed(&plain)
        || letters.len() < plain.len() && is_listed(letters)
}

fn is_listed_with_more(password: &str) -> bool {
    let mut rest = password;
    for _ in 0..APPENDED {
        if is_listed(rest) {
            return true;
        }
        match rest.char_indices().next_back() {
            Some((at, last)) if !last.is_alphabetic() => rest = &rest[..at],
            _ => return false,
        }
    }
    is_listed(rest)
}

fn is_listed(entry: &str) -> bool {
    entry.chars().count() >= SHORTEST && COMMON.contains(WordHash::of(entry))
}

/// Returns the entries that a list of passwords gives: composed, in lower case, and long enough.
pub fn entries<'a>(list: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let composed = list.into_iter().map(|entry| entry.nfc().collect::<String>().to_lowercase());
    composed.filter(|entry| entry.chars().count() >= SHORTEST)
}

#[cfg(test)]
mod tests {
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
    fn spaces_signs_accents_and_digits_at_the_end_make_no_common_password_uncommon() {
        for common in ["azerty uiop 2026", "i-love-you-1234", "Cönstantine 1999", "Need For Speed 2015"] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn what_is_not_listed_is_not_common() {
        for uncommon in ["", "é", "truelle béton mésange 41", "qwertyuiop12mésange", "!?1234"] {
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
    fn entries_are_composed_lowered_and_long_enough() {
        let entries: Vec<String> = entries(["BE\u{301}TONNI\u{c8}RES", "mot-court", "tout-juste"]).collect();
        assert_eq!(entries, ["b\u{e9}tonni\u{e8}res", "tout-juste"]);
    }
}

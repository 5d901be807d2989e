//! What everybody knows in one piece: sayings, slogans, clubs, famous names, models of cars.

use std::collections::HashSet;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use crate::fold::fold;

/// As many as a usual word: the list is short, and is tried first.
const PHRASE: f64 = 200.0;

const LISTED: &str = include_str!("../own-phrases.txt");

/// Each without what joins its words. Not a filter: it is short, and no other text shall pass for a whole phrase.
static PHRASES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = LISTED.lines().filter(|line| !line.starts_with('#'));
    let phrases = lines.flat_map(|line| line.split(','));
    phrases.map(|phrase| fold(phrase).chars().filter(|character| character.is_alphanumeric()).collect()).collect()
});

/// Returns the phrases that `rest` begins with, however they are joined, each as its length and its guesses.
pub(crate) fn parts(rest: &[char]) -> Vec<(usize, f64)> {
    // With room for all, as text that grows leaves pieces of itself in memory.
    let mut joined = Zeroizing::new(String::with_capacity(size_of_val(rest)));
    let mut found = Vec::new();
    for (length, character) in (1..).zip(rest) {
        if character.is_alphanumeric() {
            joined.push(*character);
            if PHRASES.contains(joined.as_str()) {
                found.push((length, PHRASE));
            }
        } else if joined.is_empty() || !matches!(character, ' ' | '-' | '_' | '.' | '\'') {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_however_it_is_joined() {
        for text in ["vive la france", "vivelafrance", "vive-la-france", "l'om", "peugeot 206"] {
            let rest: Vec<char> = text.chars().collect();
            assert_eq!(parts(&rest), [(rest.len(), PHRASE)], "{text}");
        }
        assert!(parts(&['v', 'i', 'v', 'e', ' ', 'l', 'a']).is_empty());
        assert!(!PHRASES.contains(""));
    }
}

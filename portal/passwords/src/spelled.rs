//! Words letter by letter: with one sign between all their letters, or with each letter twice.

use zeroize::Zeroizing;

use crate::dictionary::{self, guesses_of};

/// One sign between all letters, of which there are eight.
const PARTED: f64 = 8.0;
/// Each letter twice.
const DOUBLED: f64 = 4.0;

/// Returns the words that `rest` begins with letter by letter, each as its length and its guesses.
pub(crate) fn words(rest: &[char]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    if let [first, sign, third, ..] = rest {
        if first.is_alphabetic() && !sign.is_alphanumeric() && third.is_alphabetic() {
            let pairs = rest.chunks(2);
            let letters =
                pairs.take_while(|pair| pair[0].is_alphabetic() && pair.get(1).is_none_or(|found| found == sign));
            let letters: Zeroizing<Vec<char>> = Zeroizing::new(letters.map(|pair| pair[0]).collect());
            // Behind the last sign stands one letter more, as in `c.o.u.g.a.r1`.
            let last = rest.get(2 * letters.len()).filter(|letter| letter.is_alphabetic());
            let letters = Zeroizing::new(letters.iter().chain(last).copied().collect::<Vec<char>>());
            found.extend(of_letters(&letters).map(|(length, guesses)| (2 * length - 1, guesses * PARTED)));
        }
        if first.is_alphabetic() && first == sign {
            let pairs = rest.chunks_exact(2).take_while(|pair| pair[0].is_alphabetic() && pair[0] == pair[1]);
            let letters: Zeroizing<Vec<char>> = Zeroizing::new(pairs.map(|pair| pair[0]).collect());
            found.extend(of_letters(&letters).map(|(length, guesses)| (2 * length, guesses * DOUBLED)));
        }
    }
    found
}

fn of_letters(letters: &[char]) -> impl Iterator<Item = (usize, f64)> {
    (dictionary::SHORTEST_KNOWN..=letters.len().min(dictionary::LONGEST)).filter_map(|length| {
        let word = Zeroizing::new(letters[..length].iter().collect::<String>());
        guesses_of(&word).map(|guesses| (length, guesses))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_signs_between_its_letters_or_with_each_twice_is_found() {
        for (text, length) in [
            ("s-o-l-e-i-l", 11),
            ("s o l e i l 26", 11),
            ("s.o.l.e.i.l26", 11),
            ("ssoolleeiill", 12),
            ("ssoolleeiill9", 12),
        ] {
            let rest: Vec<char> = text.chars().collect();
            assert!(words(&rest).iter().any(|(found, _)| *found == length), "{text}: {:?}", words(&rest));
        }
        for text in ["soleil", "s-o.l-e.i-l", "so-le-il", "s"] {
            let rest: Vec<char> = text.chars().collect();
            assert!(words(&rest).is_empty(), "{text}: {:?}", words(&rest));
        }
    }
}

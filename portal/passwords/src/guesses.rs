//! An estimate of how many guesses a French guesser needs for a password.
//!
//! The password is cut into parts in the way that takes the fewest guesses, and the guesses of its parts are multiplied: words of
//! the dictionary, phrases, words that go with the person, runs over the keyboard, the calendar, addresses, repeats, and single
//! characters. A guesser who finds 10^8 passwords tries a word with a year and a sign long before.

use zeroize::Zeroizing;

use crate::dictionary::{self, guesses_of};
use crate::fold::fold;
use crate::{addresses, calendar, keyboard, phrases, spelled};

/// How many characters are looked at: what comes behind makes a password no weaker.
pub const ASSESSED: usize = 40;

/// What a guesser needs for a password, and what it was made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guesses {
    /// How many passwords are tried before it.
    pub count: f64,
    /// It contains a word that goes with the person.
    pub has_known_word: bool,
    /// It contains a word of the dictionary.
    pub has_word: bool,
    /// It contains a run over the keyboard.
    pub has_keyboard_run: bool,
}

/// Guesses for one character of each kind.
const DIGIT: f64 = 10.0;
const LETTER: f64 = 26.0;
const SIGN: f64 = 33.0;
/// The signs that join words, mostly a space or a hyphen, and those that end passwords.
const JOINING: f64 = 3.0;
const USUAL_SIGN: f64 = 8.0;
const LAST_SIGN: f64 = 3.0;
/// A word that goes with the person is among the first ten.
const KNOWN_WORD: f64 = 10.0;
/// Once more what stands before it.
const AGAIN: f64 = 2.0;
/// Once more letters that stand anywhere before it.
const LATER_AGAIN: f64 = 4.0;
/// Which pattern goes on within digits: twelve drawn at random hold a date, a post code or a repeat somewhere.
const WITHIN_DIGITS: f64 = 8.0;
/// `l'`, `d'`, `qu'` and the others.
const ELISION: f64 = 10.0;
/// Written backwards.
const BACKWARDS: f64 = 2.0;
/// With digits and signs in place of letters.
const SUBSTITUTED: f64 = 4.0;

/// Returns the estimate for a password; `known` are words that a guesser knows to go with the person.
#[must_use]
pub fn estimate(password: &str, known: &[&str]) -> Guesses {
    let password = password.char_indices().nth(ASSESSED).map_or(password, |(end, _)| &password[..end]);
    let text = fold(password);
    let characters = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let known: Vec<Vec<char>> =
        known.iter().map(|word| fold(word).chars().collect()).filter(|word: &Vec<char>| word.len() > 2).collect();
    let none = Guesses { count: f64::INFINITY, has_known_word: false, has_word: false, has_keyboard_run: false };
    let mut fewest = vec![none; characters.len() + 1];
    fewest[0].count = 1.0;
    for start in 0..characters.len() {
        let before = fewest[start];
        let mut part = |length: usize, guesses: f64, kind: Kind| {
            let is_within_digits = length > 1
                && start.checked_sub(1).is_some_and(|before| characters[before].is_ascii_digit())
                && characters[start..].iter().take(length).all(char::is_ascii_digit);
            let guesses = if is_within_digits { guesses * WITHIN_DIGITS } else { guesses };
            let so_far = Guesses {
                count: before.count * guesses,
                has_known_word: before.has_known_word || kind == Kind::KnownWord,
                has_word: before.has_word || kind == Kind::Word,
                has_keyboard_run: before.has_keyboard_run || kind == Kind::KeyboardRun,
            };
            if let Some(best) = fewest.get_mut(start + length).filter(|best| so_far.count < best.count) {
                *best = so_far;
            }
        };
        let rest = &characters[start..];
        part(1, single(rest), Kind::Characters);
        for word in known.iter().filter(|word| rest.starts_with(word)) {
            part(word.len(), KNOWN_WORD, Kind::KnownWord);
        }
        let before_it = start.checked_sub(1).map(|at| characters[at]);
        let of_words = words(rest).into_iter().chain(compounds(before_it, rest)).chain(phrases::parts(rest));
        let of_names = spelled::words(rest).into_iter().chain(calendar::parts(rest)).chain(addresses::parts(rest));
        for (length, guesses) in of_words.chain(of_names) {
            // Fewer letters stand in most strings drawn at random.
            let letters = rest.iter().take(length).filter(|character| character.is_alphabetic()).count();
            part(length, guesses, if letters < dictionary::SHORTEST_KNOWN { Kind::Characters } else { Kind::Word });
        }
        for (length, guesses) in keyboard::patterns(rest) {
            part(length, guesses, Kind::KeyboardRun);
        }
        for (length, guesses) in same_character(rest).into_iter().chain(elision(rest)) {
            part(length, guesses, Kind::Characters);
        }
        for length in 2..=start.min(rest.len()) {
            if characters[start - length..start] == rest[..length] {
                part(length, AGAIN, Kind::Characters);
            }
        }
        for length in 3..=rest.iter().take_while(|character| character.is_alphabetic()).count() {
            if characters[..start].windows(length).any(|earlier| earlier == &rest[..length]) {
                part(length, LATER_AGAIN, Kind::Characters);
            }
        }
    }
    let mut guesses = fewest[characters.len()];
    guesses.count *= capitals(password);
    guesses
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Characters,
    Word,
    KnownWord,
    KeyboardRun,
}

/// Guesses for the first character of `rest`, which is not empty.
fn single(rest: &[char]) -> f64 {
    match rest[0] {
        digit if digit.is_ascii_digit() => DIGIT,
        letter if letter.is_alphabetic() => LETTER,
        ' ' | '-' | '_' | '.' => JOINING,
        '!' | '?' | '*' | '\'' | '@' | '&' | '+' | '$' | '#' => {
            if rest.len() == 1 {
                LAST_SIGN
            } else {
                USUAL_SIGN
            }
        }
        _ => SIGN,
    }
}

/// The words of the dictionary that `rest` begins with, each as its length and its guesses.
fn words(rest: &[char]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    for length in 2..=rest.len().min(dictionary::LONGEST) {
        let written = &rest[..length];
        let letters = written.iter().filter(|character| character.is_alphabetic()).count();
        let text = |word: &mut dyn Iterator<Item = &char>| Zeroizing::new(word.collect::<String>());
        let mut cheapest = if letters == length { guesses_of(&text(&mut written.iter())) } else { None };
        if cheapest.is_none() && letters > 0 && length >= dictionary::SHORTEST_KNOWN {
            cheapest = if letters == length {
                guesses_of(&text(&mut written.iter().rev())).map(|guesses| guesses * BACKWARDS)
            } else {
                let substituted = ['i', 'l'].iter().filter_map(|one| guesses_of(&substitute(written, *one)?));
                substituted.reduce(f64::min).map(|guesses| guesses * SUBSTITUTED)
            };
        }
        found.extend(cheapest.map(|guesses| (length, guesses)));
    }
    found
}

/// The words of several parts that `rest` begins with, such as « aix-en-provence », whatever joins the parts.
///
/// Only where a word begins and one ends: elsewhere a sentence has so many places that one would pass for a word by mistake.
fn compounds(before: Option<char>, rest: &[char]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    if before.is_some_and(char::is_alphabetic) {
        return found;
    }
    let mut word = Zeroizing::new(String::with_capacity(dictionary::LONGEST_COMPOUND * size_of::<char>()));
    for (length, character) in (1..=dictionary::LONGEST_COMPOUND).zip(rest) {
        match character {
            letter if letter.is_alphabetic() => word.push(*letter),
            ' ' | '-' | '_' | '.' | '\'' if !word.is_empty() && !word.ends_with('-') => word.push('-'),
            _ => break,
        }
        if word.contains('-') && !word.ends_with('-') && !rest.get(length).is_some_and(|next| next.is_alphabetic()) {
            found.extend(guesses_of(&word).map(|guesses| (length, guesses)));
        }
    }
    found
}

/// A word that loses its vowel before another, with its apostrophe.
fn elision(rest: &[char]) -> Option<(usize, f64)> {
    match rest {
        ['c' | 'd' | 'j' | 'l' | 'm' | 'n' | 's' | 't', '\'', ..] => Some((2, ELISION)),
        ['q', 'u', '\'', ..] => Some((3, ELISION)),
        _ => None,
    }
}

/// The word with letters in place of the digits and signs that look like them; `None` where one looks like no letter.
fn substitute(word: &[char], one: char) -> Option<Zeroizing<String>> {
    let mut letters = Zeroizing::new(String::with_capacity(word.len()));
    for character in word {
        letters.push(match character {
            '0' => 'o',
            '1' | '!' | '|' => one,
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' | '+' => 't',
            '8' => 'b',
            letter if letter.is_ascii_alphabetic() => *letter,
            _ => return None,
        });
    }
    Some(letters)
}

/// Three and more of one character.
fn same_character(rest: &[char]) -> Option<(usize, f64)> {
    let length = rest.iter().take_while(|character| **character == rest[0]).count();
    // At most forty characters are looked at.
    #[allow(clippy::cast_precision_loss, reason = "a length of at most forty times eighteen")]
    (length >= 3).then(|| (length, single(rest) * length as f64))
}

/// How often a guesser tries a password again in other letters: as a sentence, as a title, all in capitals, word by word, otherwise.
fn capitals(password: &str) -> f64 {
    let words = || password.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty());
    let upper = |word: &str| word.chars().filter(|letter| letter.is_uppercase()).count();
    let is_upper = |word: &str| upper(word) == word.chars().count();
    let is_title = |word: &str| upper(word) == 1 && word.starts_with(char::is_uppercase);
    let all_upper: usize = words().map(upper).sum();
    if all_upper == 0 {
        1.0
    } else if words().all(|word| upper(word) == 0 || is_title(word)) || words().all(is_upper) {
        2.0
    } else if words().all(|word| upper(word) == 0 || is_title(word) || is_upper(word)) {
        // « SARL-Martin », « PSG champion ».
        4.0
    } else {
        // As `MotDePasse` has them: a few places for each.
        #[allow(clippy::cast_precision_loss, reason = "at most forty letters")]
        let places = 4.0 * all_upper as f64;
        places
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use rand::seq::IndexedRandom;

    use super::*;

    /// Where zxcvbn's score of 3 begins.
    const ENOUGH: f64 = 1e8;

    #[test]
    fn what_a_french_guesser_tries_first_takes_few_guesses() {
        for weak in [
            "Marseille2026!",
            "Septembre 2026",
            "Printemps-2026!",
            "doudou chouchou",
            "JeanneMartin1975",
            "jeanne14071989",
            "Marseille13008",
            "azertyuiopqsdf",
            "aqwzsxedcrfv",
            "1a2z3e4r5t6y",
            "123azeqsdwxc",
            "M4rs31ll3 2026!",
            "soleilsoleil2026",
            "Béton-Chantier35",
            "plaquiste 2026 !",
            "MotDePasse2026",
            "ellierueil2026",
            "14/07/1989!!!!",
            "elliesram2026!",
        ] {
            let guesses = estimate(weak, &[]);
            assert!(guesses.count < ENOUGH, "{weak}: {guesses:?}");
        }
    }

    #[test]
    fn words_drawn_at_random_and_sentences_of_ones_own_take_many() {
        for strong in [
            "truelle béton mésange 41",
            "mon chien adore les croquettes",
            "martin pêcheur sous la grêle",
            "il pleut toujours le lundi",
            "qX7vTz9mKp2w",
            "!?;:,.-_+*/=()",
        ] {
            assert!(estimate(strong, &[]).count >= ENOUGH, "{strong}");
        }
    }

    #[test]
    fn four_words_drawn_at_random_are_enough() {
        // Frequent, short and rare ones.
        const WORDS: [&str; 40] = [
            "soleil", "table", "chat", "mer", "vent", "rouge", "grand", "pomme", "merle", "toit", "gare", "lune",
            "coin", "sable", "rire", "noix", "plume", "orage", "tasse", "vigne", "zinc", "brume", "mouton", "piano",
            "radis", "sapin", "tigre", "usine", "valse", "wagon", "yaourt", "zèbre", "argile", "bocal", "cidre",
            "dalle", "étang", "flûte", "gomme", "hibou",
        ];
        let mut rng = StdRng::seed_from_u64(4);
        let drawn = (0..1_000).map(|_| WORDS.sample(&mut rng, 4).copied().collect::<Vec<_>>().join(" "));
        let refused: Vec<String> = drawn.filter(|phrase| estimate(phrase, &[]).count < ENOUGH).collect();
        assert!(refused.len() <= 10, "{} of 1,000: {refused:?}", refused.len());
    }

    #[test]
    fn what_goes_with_the_person_is_tried_first_and_said() {
        let known = ["Delacourtine", "Gravelines"];
        assert!(!estimate("delacourtine gravelines 2026", &[]).has_known_word);
        let guesses = estimate("Délacourtine-Gravelines-2026", &known);
        assert!(guesses.has_known_word && guesses.count < ENOUGH, "{guesses:?}");
    }

    #[test]
    fn what_it_was_made_of_is_said() {
        assert!(estimate("azertyuiop12", &[]).has_keyboard_run);
        assert!(estimate("Marseille2026!", &[]).has_word);
        let random = estimate("qX7vTz9mKp2w", &[]);
        assert!(!random.has_word && !random.has_keyboard_run && !random.has_known_word);
    }

    #[test]
    fn nothing_is_one_guess_and_a_long_text_is_cut() {
        assert_eq!(estimate("", &[]).count, 1.0);
        let long = "x7#q".repeat(32);
        assert_eq!(estimate(&long, &[]), estimate(&long[..ASSESSED], &[]));
    }
}

//! An estimate of how many guesses a French guesser needs for a password.
//!
//! The password is cut into parts in the way that takes the fewest guesses, and the guesses of its parts are multiplied: words of
//! the dictionary, words that go with the person, runs over the keyboard, years, dates, post codes, repeats, and single
//! characters. A guesser who finds 10^8 passwords tries a word with a year and a sign long before.

use zeroize::Zeroizing;

use crate::dictionary::{self, guesses_of};
use crate::fold::fold;
use crate::keyboard;

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
/// The signs that join words, and those that end passwords.
const JOINING: f64 = 4.0;
const USUAL_SIGN: f64 = 8.0;
const LAST_SIGN: f64 = 3.0;
/// A word that goes with the person is among the first ten.
const KNOWN_WORD: f64 = 10.0;
/// A year of late, and any since 1930.
const RECENT_YEAR: f64 = 10.0;
const YEAR: f64 = 60.0;
/// A day of a hundred years; and one written with signs between its parts, of which there are four.
const DATE: f64 = 40_000.0;
const PARTED_DATE: f64 = 4.0 * DATE;
/// France has 6,300 post codes.
const POST_CODE: f64 = 6_300.0;
/// Once more what stands before it.
const AGAIN: f64 = 2.0;
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
        for (length, guesses) in words(rest) {
            // A shorter one stands in most strings drawn at random.
            part(length, guesses, if length < dictionary::SHORTEST_KNOWN { Kind::Characters } else { Kind::Word });
        }
        for (length, guesses) in keyboard::patterns(rest) {
            part(length, guesses, Kind::KeyboardRun);
        }
        for (length, guesses) in numbers(rest).into_iter().chain(same_character(rest)) {
            part(length, guesses, Kind::Characters);
        }
        for length in 2..=start.min(rest.len()) {
            if characters[start - length..start] == rest[..length] {
                part(length, AGAIN, Kind::Characters);
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

/// Years, dates and post codes that `rest` begins with, each as its length and its guesses.
fn numbers(rest: &[char]) -> Vec<(usize, f64)> {
    let number = |from: usize, length: usize| -> Option<u32> {
        let digits = rest.get(from..from + length)?;
        digits.iter().try_fold(0, |number, digit| Some(number * 10 + digit.to_digit(10)?))
    };
    let is_day = |day: Option<u32>, month: Option<u32>| {
        day.is_some_and(|day| (1..=31).contains(&day)) && month.is_some_and(|month| (1..=12).contains(&month))
    };
    let guesses_of_year = |year: u32| match year {
        2010..=2030 => Some(RECENT_YEAR),
        1930..=2039 => Some(YEAR),
        _ => None,
    };
    let is_year = |year: Option<u32>| year.and_then(guesses_of_year).is_some();
    let mut found = Vec::new();
    found.extend(number(0, 4).and_then(guesses_of_year).map(|guesses| (4, guesses)));
    if number(0, 5).is_some_and(|code| (1_000..=98_999).contains(&code)) {
        found.push((5, POST_CODE));
    }
    if is_day(number(0, 2), number(2, 2)) && number(4, 2).is_some() {
        found.push((6, DATE));
    }
    let day_first = is_day(number(0, 2), number(2, 2)) && is_year(number(4, 4));
    let year_first = is_year(number(0, 4)) && is_day(number(6, 2), number(4, 2));
    if day_first || year_first {
        found.push((8, DATE));
    }
    let is_sign = |at: usize| rest.get(at).is_some_and(|sign| matches!(sign, '/' | '-' | '.' | ' '));
    if is_sign(2) && is_sign(5) && is_day(number(0, 2), number(3, 2)) {
        found.extend(number(6, 2).map(|_| (8, PARTED_DATE)));
        found.extend(is_year(number(6, 4)).then_some((10, PARTED_DATE)));
    }
    found
}

/// Three and more of one character.
fn same_character(rest: &[char]) -> Option<(usize, f64)> {
    let length = rest.iter().take_while(|character| **character == rest[0]).count();
    // At most forty characters are looked at.
    #[allow(clippy::cast_precision_loss, reason = "a length of at most forty times eighteen")]
    (length >= 3).then(|| (length, single(rest) * length as f64))
}

/// How often a guesser tries a password again in other letters: as a sentence, as a title, all in capitals, otherwise.
fn capitals(password: &str) -> f64 {
    let letters = || password.chars().filter(|character| character.is_alphabetic());
    let upper = letters().filter(|letter| letter.is_uppercase()).count();
    let starts = |(before, letter): (char, char)| letter.is_uppercase() && !before.is_alphabetic();
    let at_starts =
        std::iter::once(' ').chain(password.chars()).zip(password.chars()).filter(|pair| starts(*pair)).count();
    if upper == 0 {
        1.0
    } else if upper == at_starts || upper == letters().count() {
        2.0
    } else {
        // As `MotDePasse` has them: a few places for each.
        #[allow(clippy::cast_precision_loss, reason = "at most forty letters")]
        let places = 4.0 * upper as f64;
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

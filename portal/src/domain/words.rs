//! Searching texts as somebody types who has them before their eyes.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::is_unfit;

/// Parts of words to be found, each of them, whatever the case, the accents and the signs between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of a text; none where it has only signs and spaces.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(folded(text).split_whitespace().map(str::to_owned).collect())
    }

    /// Whether there is nothing to be found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One text for all searches of the same words.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.0.join(" ")
    }

    /// Whether each word is in one of the places.
    #[must_use]
    pub fn are_in(&self, places: &[&str]) -> bool {
        let places: Vec<String> = places.iter().map(|place| folded(place)).collect();
        self.0.iter().all(|word| places.iter().any(|place| place.contains(word.as_str())))
    }
}

/// Small letters without accents; apostrophes and the like as spaces, so that `l’Étoile` is found by `etoile`,
/// by `l etoile` and by `l'etoile`. Letters that Unicode does not decompose are written out; what cannot be seen is dropped.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase) {
        match character {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            _ if character.is_alphanumeric() => folded.push(character),
            _ if is_unfit(character) && !character.is_whitespace() => {}
            _ => folded.push(' '),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_in_some_place_whatever_its_case_accents_and_signs() {
        let places = ["Habilitation électrique B2V/BR", "2011-000077"];
        for found in ["", "ÉLECTRIQUE", "electr", "b2v br", "2011-000077", "000077 habil", "-", "2011 elec"] {
            assert!(Words::of(found).are_in(&places), "{found:?}");
        }
        for lost in ["caces", "electrique 2012", "b2vbr", "000077x"] {
            assert!(!Words::of(lost).are_in(&places), "{lost:?}");
        }
    }

    #[test]
    fn one_search_has_one_text() {
        assert_eq!(Words::of(" L’ÉTOILE ").as_text(), Words::of("l'etoile").as_text());
        assert!(Words::of(" - ’ ").is_empty());
    }
}

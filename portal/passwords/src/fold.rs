//! Text without what a guesser's rules take away: case, accents, ligatures.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroizing;

/// Letters for each that was typed, at most: U+FDFA is eighteen in compatibility form.
const LONGEST_FOLDED: usize = 18;

/// Returns the text in lower case, in compatibility form and without accents: « Forêt » and « foret » are one word to whoever
/// guesses.
#[must_use]
pub fn fold(text: &str) -> Zeroizing<String> {
    // With room for the longest, as text that grows leaves pieces of itself in memory.
    let mut folded = Zeroizing::new(String::with_capacity(text.chars().count() * LONGEST_FOLDED));
    for character in text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase) {
        match character {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            '’' | '‘' => folded.push('\''),
            other if is_combining_mark(other) => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn accents_ligatures_and_case_are_one_word() {
        for (typed, folded) in [
            ("Forêt", "foret"),
            ("CŒUR", "coeur"),
            ("ﬁn", "fin"),
            ("e\u{301}te\u{301}", "ete"),
            ("l’été", "l'ete"),
            ("İ", "i"),
        ] {
            assert_eq!(*fold(typed), folded, "{typed}");
        }
    }
}

//! What French guessers try first: words, first names, towns, the trade's words, and common passwords of letters.

use crate::filter::{WordFilter, WordHash};

/// A part of the dictionary: its words, and the guesses that one of them takes.
struct Tier {
    words: WordFilter<'static>,
    guesses: f64,
}

/// The file of each part and the guesses that one of its words takes, the most frequent first.
///
/// They are lower than ranks in a language: guessers join words, so the first thousands are tried with one another. Two words
/// of the last part and a sign take some 10^7, three take 10^10.
pub const TIERS: [(&str, f64); 3] = [("frequent.filter", 30.0), ("usual.filter", 200.0), ("known.filter", 2_000.0)];

static DICTIONARY: [Tier; 3] = [
    Tier { words: WordFilter::new(include_bytes!("../frequent.filter")), guesses: TIERS[0].1 },
    Tier { words: WordFilter::new(include_bytes!("../usual.filter")), guesses: TIERS[1].1 },
    Tier { words: WordFilter::new(include_bytes!("../known.filter")), guesses: TIERS[2].1 },
];

/// The longest word of the dictionary, in letters.
pub const LONGEST: usize = 14;

/// The longest one of several words with hyphens between them, hyphens counted.
pub const LONGEST_COMPOUND: usize = 26;

/// The shortest word of the last part, in letters: every third of three letters is one.
pub const SHORTEST_KNOWN: usize = 4;

/// Returns the guesses that a folded word takes, `None` where the dictionary does not have it.
pub(crate) fn guesses_of(word: &str) -> Option<f64> {
    let hash = WordHash::of(word);
    DICTIONARY.iter().find(|tier| tier.words.contains(hash)).map(|tier| tier.guesses)
}

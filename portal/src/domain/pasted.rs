//! Text as people paste it: marks that cannot be seen, full-width forms, labels, and what stands between digits.

use std::borrow::Cow;

use super::is_unfit;

/// Characters that come along when text is copied and change nothing that one sees: zero-width spaces and joiners,
/// left-to-right marks and their ends, soft hyphens, byte order marks, variation selectors. What turns the direction of
/// digits around (U+202B, U+202E, U+2067) is none of them: one sees another number then.
#[must_use]
pub(super) fn is_weightless(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}' | '\u{202c}' | '\u{202d}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}' | '\u{2068}' | '\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// The text without what cannot be seen, and with full-width forms as ASCII.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    text.chars().filter(|character| !is_weightless(*character)).map(half_width).collect()
}

/// Full-width forms (U+FF01 to U+FF5E) stand for ASCII in the same order.
fn half_width(character: char) -> char {
    match u32::from(character) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(character),
        _ => character,
    }
}

/// Words that stand before a number of any kind, in lower case without accents.
const LABEL: &[&str] =
    &["n", "no", "nr", "num", "numero", "code", "de", "du", "d", "le", "la", "votre", "notre", "mon", "est"];

/// A number's digits. Spaces, dots, hyphens, slashes, bars and underscores between them are dropped, quotes and brackets around
/// them, and a label before them that consists of `label` words in lower case without accents.
///
/// # Errors
/// The first character that is neither a digit nor one of these.
pub(super) fn digits<'a>(text: &'a str, label: &[&str]) -> Result<Cow<'a, str>, char> {
    // What is stored has nothing else: a page of the ledger has a hundred of these.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Cow::Borrowed(text));
    }
    let text = visible(text);
    let number = text.trim_matches(is_around);
    let start = number.find(|character: char| character.is_ascii_digit()).unwrap_or(0);
    let number = if is_label(&number[..start], label) { &number[start..] } else { number };
    let mut digits = String::new();
    for character in number.chars() {
        match character {
            '0'..='9' => digits.push(character),
            _ if is_between(character) => {}
            other => return Err(other),
        }
    }
    Ok(Cow::Owned(digits))
}

/// Spreadsheets put `=` and quotes around digits to keep their zeros, sentences brackets and their end.
pub(super) fn is_around(character: char) -> bool {
    character.is_whitespace() || "\"'’‘“”«»()[]<>=#:;,.•*|".contains(character)
}

/// Tells whether a character groups digits.
pub(super) fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '.' | '|' | '-' | '/' | '_' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_label(text: &str, label: &[&str]) -> bool {
    let plain: String = text
        .chars()
        .filter(|character| !matches!(character, '\u{300}'..='\u{36f}'))
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            'é' | 'è' | 'ê' => 'e',
            'º' | 'ª' => ' ',
            other => other,
        })
        .collect();
    // Without its apostrophe it is a mistyped digit.
    let plain = plain.replace("l’", " ").replace("l'", " ");
    let is_mark = |character: char| is_around(character) || is_between(character) || "°№".contains(character);
    // A mistyped first digit is no label, nor is a sign: every word has to be known, and what stands between words.
    let marks_only = plain.chars().all(|character| character.is_alphanumeric() || is_mark(character));
    marks_only
        && plain
            .split(|character: char| !character.is_alphanumeric())
            .all(|word| word.is_empty() || LABEL.contains(&word) || label.contains(&word))
}

/// A character as a message can name it: between quotation marks, or by its code point where it cannot be seen.
pub(super) fn named(character: char, quotes: [&str; 2]) -> String {
    if is_unfit(character) || character.is_whitespace() {
        return format!("U+{:04X}", u32::from(character));
    }
    let [before, after] = quotes;
    format!("{before}{character}{after}")
}

/// French quotation marks with their no-break spaces.
pub(super) const FRENCH: [&str; 2] = ["«\u{a0}", "\u{a0}»"];

/// English quotation marks.
pub(super) const ENGLISH: [&str; 2] = ["\"", "\""];

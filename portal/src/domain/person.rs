//! What a person says of themselves at sign-up.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::pasted::{FRENCH, is_weightless, named};

/// How a person is addressed (*civilité*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Civility {
    /// Madame.
    Mme,
    /// Monsieur.
    M,
}

impl Civility {
    /// Reads `mme` or `m`.
    ///
    /// # Errors
    /// `civility-unknown`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "mme" => Ok(Self::Mme),
            "m" => Ok(Self::M),
            _ => Err(Refusal::new("civility-unknown", "Choisissez « mme » ou « m ».", "Choose \"mme\" or \"m\".")),
        }
    }

    /// As it stands before a name: `Mme`, `M.`
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Mme => "Mme",
            Self::M => "M.",
        }
    }
}

/// A last or first name: 1 to 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonName(String);

impl PersonName {
    /// Reads a name; surrounding and repeated spaces are dropped.
    ///
    /// # Errors
    /// `required`, `too-long`, `bad-character`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        one_line(text, 80).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A person's function in the company (*fonction*): 1 to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobTitle(String);

impl JobTitle {
    /// Reads a job title; surrounding and repeated spaces are dropped.
    ///
    /// # Errors
    /// `required`, `too-long`, `bad-character`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        one_line(text, 120).map(Self)
    }

    /// The title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The site a sign-up came from (leaflet S14-S17), such as `bretagne`: 1 to 32 of `a-z0-9-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin.
    ///
    /// # Errors
    /// `origin-invalid`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::new(
            "origin-invalid",
            "L’origine comporte 1 à 32 lettres minuscules, chiffres ou tirets.",
            "An origin has 1 to 32 lower-case letters, digits or hyphens.",
        ))
    }
}

/// One line of text for people: no control character, nothing that turns the direction of what follows
/// (a name stands in mails and in other people's pages). A tab, a line's end or a mark that cannot be seen around it comes
/// from where it was copied, and is dropped.
///
/// # Errors
/// `required`, `too-long`, `bad-character`.
pub fn one_line(text: &str, longest: usize) -> Result<String, Refusal> {
    let text = text.trim_matches(|character: char| character.is_whitespace() || is_weightless(character));
    if let Some(character) = text.chars().find(|character| is_unfit(*character)) {
        let name = named(character, FRENCH);
        return Err(Refusal::new(
            "bad-character",
            format!("Ce champ contient un caractère invisible ou de contrôle ({name}) : ressaisissez-le au clavier."),
            format!("This field holds an invisible or control character ({name}): type it again."),
        ));
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        0 => Err(Refusal::new("required", "Ce champ est obligatoire.", "This field is required.")),
        length if length > longest => Err(Refusal::new(
            "too-long",
            format!("Ce champ comporte au plus {longest} caractères."),
            format!("This field has at most {longest} characters."),
        )),
        _ => Ok(line),
    }
}

/// Control characters, bidirectional controls (Unicode TR 9), zero-width and other invisible formatting, letters that
/// are blank (Hangul's and Khmer's fillers, braille's empty cell), line and paragraph separators, and what no text uses
/// (non-characters, private use).
#[must_use]
pub fn is_unfit(character: char) -> bool {
    character.is_control() || is_invisible(character) || is_unassigned(character)
}

/// Returns true for a text that shows nothing: empty, or of spaces and characters that cannot be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || is_invisible(character))
}

fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}')
}

/// Of private use, or no character: something may be drawn for it.
fn is_unassigned(character: char) -> bool {
    matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_what_cannot_be_seen_is_blank() {
        for blank in ["", " \t", "\u{a0}", "\u{200b}", "\u{feff}\u{2060}", "\u{180e}", "\u{ad} \u{3164}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in ["0", "\u{200b}a", "\u{1}", "\u{fffd}", "\u{e001}", "-"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn names_keep_their_letters_and_lose_stray_spaces() {
        assert_eq!(PersonName::parse("  d’Été-Œuvre   Nguyễn ").unwrap().as_str(), "d’Été-Œuvre Nguyễn");
        for pasted in
            ["Martin\t", "Martin\r\n", "\n\tMartin\u{2028}", "\u{feff}Martin\u{200b} \u{200e}", "Mar\u{ad}tin"]
        {
            let name = PersonName::parse(pasted).map(|name| name.0);
            // Within a name it is refused: nobody sees why two names differ.
            let wanted = if pasted.contains('\u{ad}') { None } else { Some("Martin") };
            assert_eq!(name.as_deref().ok(), wanted, "{pasted:?}");
        }
        assert_eq!(PersonName::parse("\u{feff}\t").unwrap_err().code, "required");
        assert!(PersonName::parse("a\u{202e}b").unwrap_err().fr.contains("(U+202E)"));
    }

    #[test]
    fn what_would_break_a_mail_or_a_page_is_refused() {
        for wrong in [
            "a\r\nBcc: x",
            "a\tb",
            "\u{202e}abc",
            "a\u{200b}b",
            "a\u{feff}a",
            "a\u{2028}b",
            "a\0",
            "\u{3164}",
            "\u{2800}",
        ] {
            assert_eq!(PersonName::parse(wrong).unwrap_err().code, "bad-character", "{wrong:?}");
        }
        assert_eq!(PersonName::parse(" \u{a0} ").unwrap_err().code, "required");
        assert_eq!(PersonName::parse(&"é".repeat(81)).unwrap_err().code, "too-long");
        assert!(PersonName::parse(&"é".repeat(80)).is_ok());
    }

    #[test]
    fn civilities_are_the_leaflets_two() {
        assert_eq!(Civility::parse("mme").unwrap().title(), "Mme");
        assert_eq!(Civility::parse("m").unwrap().title(), "M.");
        assert_eq!(Civility::parse("mr").unwrap_err().code, "civility-unknown");
    }
}

//! What a person writes to another: a few lines.

use serde::{Deserialize, Serialize};

use super::pasted::{FRENCH, is_weightless, named};
use super::{Refusal, is_unfit};

/// The longest message, in characters.
const LONGEST: usize = 500;

/// A message of one or more lines, at most 500 characters: no control character but the end of a line, and
/// nothing that turns the direction of what follows, as it stands in other people's mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message(String);

impl Message {
    /// Reads a message; spaces at the end of lines, and empty lines around it, are dropped. A tab counts as a space, and
    /// whatever ends a line in other programs (CR, LS, PS) as LF.
    ///
    /// # Errors
    /// `required`, `too-long`, `bad-character`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', " ");
        let text = text.trim_matches(|character: char| character.is_whitespace() || is_weightless(character));
        if let Some(character) = text.chars().find(|character| *character != '\n' && is_unfit(*character)) {
            let name = named(character, FRENCH);
            return Err(Refusal::new(
                "bad-character",
                format!(
                    "Ce message contient un caractère invisible ou de contrôle ({name}) : ressaisissez-le au clavier."
                ),
                format!("This message holds an invisible or control character ({name}): type it again."),
            ));
        }
        let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned();
        match text.chars().count() {
            0 => Err(Refusal::new("required", "Ce champ est obligatoire.", "This field is required.")),
            length if length > LONGEST => Err(Refusal::new(
                "too-long",
                format!("Un message comporte au plus {LONGEST} caractères."),
                format!("A message has at most {LONGEST} characters."),
            )),
            _ => Ok(Self(text)),
        }
    }

    /// The message; its lines end in LF.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_lines_and_loses_stray_spaces() {
        let message = Message::parse("\r\n Bonjour, \r\n\r\nje tiens la paie.\n\n").unwrap();
        assert_eq!(message.as_str(), "Bonjour,\n\nje tiens la paie.");
        let pasted = Message::parse("\u{feff}Bonjour,\t\rje tiens\tla paie.\u{2028}Paul\u{200b}").unwrap();
        assert_eq!(pasted.as_str(), "Bonjour,\nje tiens la paie.\nPaul");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (wrong, code) in [
            (" \n ".to_owned(), "required"),
            ("é".repeat(501), "too-long"),
            ("\u{feff}".to_owned(), "required"),
            ("a\u{b}b".to_owned(), "bad-character"),
            ("a\u{200b}b".to_owned(), "bad-character"),
            ("a\u{202e}b".to_owned(), "bad-character"),
            ("a\0b".to_owned(), "bad-character"),
        ] {
            assert_eq!(Message::parse(&wrong).unwrap_err().code, code, "{wrong:?}");
        }
        assert!(Message::parse(&"é".repeat(500)).is_ok());
    }
}

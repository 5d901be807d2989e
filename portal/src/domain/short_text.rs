//! Texts that third parties write and number as they like.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Refusal, is_blank};

/// The remittance information of a SEPA transfer has 140 characters (EPC217-08, AT-05), the longest of these texts.
const LONGEST_TEXT: usize = 140;

const LONGEST_REMITTANCE_NUMBER: usize = 64;

/// One line of text of a third party, such as the number of a training body's invoice or the reference on a bank's
/// statement: 1 to 140 code points, no control character, as its maker wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ShortText(String);

impl ShortText {
    /// Reads a text; surrounding spaces, which fields of a fixed width are filled up with, are dropped.
    ///
    /// # Errors
    /// `text`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check(text.trim(), LONGEST_TEXT).map(|line| Self(line.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ShortText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match check(&text, LONGEST_TEXT) {
            Ok(_) => Ok(Self(text)),
            Err(refusal) => Err(refusal.en),
        }
    }
}

/// The number of a remittance notice, the fund's or its bank's: one line of 1 to 64 code points, no control character.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct RemittanceNumber(String);

impl RemittanceNumber {
    /// Reads a number; surrounding spaces are dropped.
    ///
    /// # Errors
    /// `remittance-number`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check(text.trim(), LONGEST_REMITTANCE_NUMBER).map(|line| Self(line.to_owned()))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as a piece of a key or a cursor, whose pieces `#` parts: `#` is `%23`, and `%` is `%25`.
    #[must_use]
    pub fn escaped(&self) -> Cow<'_, str> {
        if self.0.contains(['#', '%']) {
            Cow::Owned(self.0.replace('%', "%25").replace('#', "%23"))
        } else {
            Cow::Borrowed(&self.0)
        }
    }

    /// Reads a piece that [`escaped`](Self::escaped) made.
    #[must_use]
    pub fn unescape(piece: &str) -> Option<Self> {
        let number = piece.replace("%23", "#").replace("%25", "%");
        let number = Self::try_from(number).ok()?;
        (number.escaped() == piece).then_some(number)
    }
}

impl fmt::Display for RemittanceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for RemittanceNumber {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match check(&text, LONGEST_REMITTANCE_NUMBER) {
            Ok(_) => Ok(Self(text)),
            Err(refusal) => Err(refusal.en),
        }
    }
}

fn check(text: &str, longest: usize) -> Result<&str, Refusal> {
    // Line and paragraph separators end a line as a line feed does.
    let breaks = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    if !is_blank(text) && text.chars().count() <= longest && !text.contains(breaks) {
        return Ok(text);
    }
    Err(Refusal::new(
        "text",
        format!("Ce texte comporte 1 à {longest} caractères, sur une ligne."),
        format!("This text has 1 to {longest} characters, on one line."),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_invoices_and_banks_really_say_is_a_text() {
        let remittance_information = "/-?:().,'+ ".repeat(12) + "abcdefgh";
        assert_eq!(remittance_information.len(), 140);
        for text in [
            "F-118",
            "FA/2012/004217",
            "2012+118_B",
            "N° 42 (avoir)",
            "Facture n°12 du 3 mars, « Échafaudage »",
            "#12",
            "発票",
            &"é".repeat(140),
            &remittance_information,
        ] {
            assert_eq!(ShortText::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(ShortText::parse("  CSTR 0042      ").unwrap().as_str(), "CSTR 0042");
    }

    #[test]
    fn a_text_is_one_line_that_says_something() {
        let (too_long, too_long_number) = ("é".repeat(141), "é".repeat(65));
        for wrong in ["", "   ", "\u{a0}", "a\nb", "a\tb", "a\u{7f}", "a\u{85}b", "a\u{2028}b", too_long.as_str()] {
            assert!(ShortText::parse(wrong).is_err(), "{wrong:?}");
            assert!(RemittanceNumber::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(ShortText::parse(&too_long_number).is_ok());
        assert!(RemittanceNumber::parse(&too_long_number).is_err());
        assert!(RemittanceNumber::parse(&too_long_number[2..]).is_ok());
    }

    #[test]
    fn a_number_is_escaped_in_one_way() {
        for (number, piece) in
            [("V-2012-0042", "V-2012-0042"), ("V#1", "V%231"), ("100 %", "100 %25"), ("%23", "%2523")]
        {
            let number = RemittanceNumber::parse(number).unwrap();
            assert_eq!(number.escaped(), piece);
            assert_eq!(RemittanceNumber::unescape(piece), Some(number));
        }
        for piece in ["", "a#b", "a%", "%41", "%2", "a\nb"] {
            assert_eq!(RemittanceNumber::unescape(piece), None, "{piece:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_numbers_have_one_piece(text in "[#%23a5é ]{1,12}") {
            if let Ok(number) = RemittanceNumber::parse(&text) {
                prop_assert!(!number.escaped().contains('#'));
                let piece = number.escaped().into_owned();
                prop_assert_eq!(RemittanceNumber::unescape(&piece), Some(number));
            }
        }
    }
}

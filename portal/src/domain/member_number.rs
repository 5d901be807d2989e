//! The member number (*numéro adhérent*): six digits, printed on remittance notices.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::pasted::{self, ENGLISH, FRENCH};

/// Words that stand before a member number where it is copied from, beside those before any number.
const LABEL: &[&str] =
    &["adherent", "adherente", "e", "adhesion", "compte", "membre", "constructys", "ref", "reference"];

/// A member number: six digits, where leading zeros count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct MemberNumber(String);

impl MemberNumber {
    /// Reads a member number as people copy it: `012 345`, `N° adhérent : 012345`.
    ///
    /// # Errors
    /// `member-number` where it is not six digits; says how many there are, or names what is no digit.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = |fr: String, en: String| {
            Refusal::new(
                "member-number",
                format!(
                    "Le numéro adhérent comporte 6 chiffres, zéros compris ; il figure sur vos avis de virement. {fr}"
                ),
                format!("A member number has 6 digits, zeros included; it is printed on your remittance notices. {en}"),
            )
        };
        match pasted::digits(text, LABEL) {
            Ok(digits) if digits.len() == 6 => Ok(Self(digits.into_owned())),
            Ok(digits) => {
                let (n, s) = (digits.len(), if digits.len() == 1 { "" } else { "s" });
                Err(refused(format!("Vous en avez saisi {n}."), format!("You entered {n} digit{s}.")))
            }
            Err(character) => {
                let (fr, en) = (pasted::named(character, FRENCH), pasted::named(character, ENGLISH));
                Err(refused(format!("{fr} n’est pas un chiffre."), format!("{en} is no digit.")))
            }
        }
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for MemberNumber {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // What was kept are digits alone; what a person types is read by `parse`.
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text));
        }
        Err("a member number that was kept is six digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_count() {
        assert_eq!(MemberNumber::parse("012 345").unwrap().as_str(), "012345");
        for wrong in ["12345", "0123456", "01234a", "", "٠١٢٣٤٥", "O12345", "A012345", "n° 12345", "0123\u{202e}45"]
        {
            assert_eq!(MemberNumber::parse(wrong).unwrap_err().code, "member-number", "{wrong}");
        }
        assert!(MemberNumber::parse("12345").unwrap_err().fr.contains("saisi 5"));
        assert!(MemberNumber::parse("01234a").unwrap_err().en.contains("\"a\" is no digit"));
    }

    #[test]
    fn a_pasted_member_number_is_taken_as_it_is_plainly_meant() {
        for pasted in [
            "012.345",
            "012-345",
            "01/23/45",
            "N° adhérent : 012345",
            "Votre numéro d’adhérent : 012345",
            "Mon numéro : 012 345",
            "Réf. 012345",
            "adhérent(e) n° 012345",
            "N° d’adhésion : 012 345",
            "Nº d’adhérent 012345",
            "numéro de compte adhérent\u{a0}: 012\u{202f}345\n",
            "#012345",
            "\u{200b}012345\u{feff}",
            "０１２３４５",
            "012345.",
        ] {
            assert_eq!(MemberNumber::parse(pasted).map(|n| n.to_string()).as_deref(), Ok("012345"), "{pasted:?}");
        }
    }
}

//! The SIRET: 14 digits that name an establishment (INSEE).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// The SIREN of La Poste, whose establishments may fail Luhn (INSEE's documented exception).
const LA_POSTE: &str = "356000000";

/// A valid SIRET, as 14 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Siret(String);

impl Siret {
    /// Reads a SIRET; spaces and no-break spaces are dropped, as people copy `533 846 150 00019`.
    ///
    /// # Errors
    /// `siret-not-digits`, `siret-length` (says how many digits there are), `siret-checksum`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = without_spaces(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::new(
                "siret-not-digits",
                "Le SIRET ne comporte que des chiffres : saisissez ses 14 chiffres.",
                "A SIRET has digits only: enter its 14 digits.",
            ));
        }
        if digits.len() != 14 {
            let (n, s) = (digits.len(), if digits.len() == 1 { "" } else { "s" });
            return Err(Refusal::new(
                "siret-length",
                format!("Le SIRET comporte 14 chiffres ; vous en avez saisi {n}."),
                format!("A SIRET has 14 digits; you entered {n} digit{s}."),
            ));
        }
        let la_poste = digits.starts_with(LA_POSTE) && digit_sum(&digits).is_multiple_of(5);
        if luhn(&digits[..9]) && (luhn(&digits) || la_poste) {
            return Ok(Self(digits));
        }
        Err(Refusal::new(
            "siret-checksum",
            "Ce SIRET n’existe pas : vérifiez ses 14 chiffres, l’un d’eux est sans doute mal saisi.",
            "No such SIRET exists: check its 14 digits, one of them is probably mistyped.",
        ))
    }

    /// The 14 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Siret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Siret {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|refusal| refusal.en)
    }
}

/// Drops what people put between groups of digits: spaces, U+00A0 and U+202F among them.
pub(super) fn without_spaces(text: &str) -> String {
    // What is stored has none: a page of the ledger has a hundred of these.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn digit_sum(digits: &str) -> u32 {
    digits.bytes().map(|byte| u32::from(byte - b'0')).sum()
}

/// Luhn's check: every second digit from the right counts double, less nine when above nine.
fn luhn(digits: &str) -> bool {
    let weighted = digits.bytes().rev().enumerate().map(|(index, byte)| {
        let digit = u32::from(byte - b'0');
        if index % 2 == 0 { digit } else { digit * 2 - if digit > 4 { 9 } else { 0 } }
    });
    weighted.sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_leaflets_siret_is_refused_because_it_has_13_digits() {
        let refusal = Siret::parse("5338461500019").unwrap_err();
        assert_eq!(refusal.code, "siret-length");
        assert!(refusal.fr.contains("14 chiffres") && refusal.fr.contains("13"), "{}", refusal.fr);
        assert!(refusal.en.contains("13 digits"), "{}", refusal.en);
    }

    #[test]
    fn la_poste_passes_on_luhn_or_on_the_sum() {
        for valid in ["53384615000019", "35600000009075", "35600000000048"] {
            assert_eq!(Siret::parse(valid).unwrap().as_str(), valid);
        }
        // The sum rule is La Poste's alone: 14 digits whose SIREN passes and whose sum is 35.
        assert_eq!(Siret::parse("53384615000000").unwrap_err().code, "siret-checksum");
        assert_eq!(Siret::parse("35600000009076").unwrap_err().code, "siret-checksum");
    }

    #[test]
    fn spaces_of_every_kind_between_groups_are_dropped() {
        assert_eq!(Siret::parse(" 533\u{202f}846\u{a0}150 00019 ").unwrap().as_str(), "53384615000019");
    }

    proptest! {
        #[test]
        fn one_mistyped_digit_is_always_found(position in 0_usize..14, step in 1_u8..10) {
            let mut digits = b"53384615000019".to_vec();
            digits[position] = b'0' + (digits[position] - b'0' + step) % 10;
            let text = String::from_utf8(digits).unwrap();
            prop_assert_eq!(Siret::parse(&text).unwrap_err().code, "siret-checksum");
        }

        #[test]
        fn no_text_makes_it_panic_and_what_passes_is_14_digits(text in "\\PC{0,20}") {
            if let Ok(siret) = Siret::parse(&text) {
                prop_assert!(siret.as_str().len() == 14 && siret.as_str().bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}

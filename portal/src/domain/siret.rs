//! The SIRET: 14 digits that name an establishment (INSEE).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::pasted::{self, ENGLISH, FRENCH};

/// The SIREN of La Poste, whose establishments may fail Luhn (INSEE's documented exception).
const LA_POSTE: &str = "356000000";

/// Words that stand before a SIRET where it is copied from, beside those before any number.
const LABEL: &[&str] = &[
    "siret",
    "siren",
    "insee",
    "identifiant",
    "etablissement",
    "entreprise",
    "societe",
    "siege",
    "social",
    "employeur",
    "immatriculation",
];

/// A SIRET that the check sums allow and the numbering does not exclude, as 14 digits.
///
/// INSEE numbers legal units and, within each, establishments one after the other from 1 on: a SIREN is an order number
/// of eight digits and a check digit, a NIC an order number of four digits and a check digit (INSEE, definitions of
/// "numéro SIREN" and "numéro SIRET"). So no SIREN is all zeros and no NIC begins with `0000`, whatever the sums say.
/// Leading zeros of a SIREN are real: the register's first legal units have them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Siret(String);

impl Siret {
    /// Reads a SIRET as people copy it: `533 846 150 00019`, `SIRET : 533.846.150.00019`,
    /// `SIREN 533 846 150, NIC : 00019`.
    ///
    /// # Errors
    /// `siret-not-digits` (names the character), `siret-length` (says how many digits there are), `siret-checksum`,
    /// `siret-never-given`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let joined = without_label_of_nic(text);
        let digits = pasted::digits(&joined, LABEL).map_err(not_a_digit)?;
        match digits.len() {
            0 => Err(Refusal::new(
                "siret-not-digits",
                "Le SIRET ne comporte que des chiffres : saisissez ses 14 chiffres.",
                "A SIRET has digits only: enter its 14 digits.",
            )),
            14 => Self::of_digits(digits.into_owned()),
            n => {
                let s = if n == 1 { "" } else { "s" };
                Err(Refusal::new(
                    "siret-length",
                    format!("Le SIRET comporte 14 chiffres ; vous en avez saisi {n}."),
                    format!("A SIRET has 14 digits; you entered {n} digit{s}."),
                ))
            }
        }
    }

    fn of_digits(digits: String) -> Result<Self, Refusal> {
        let (siren, nic) = digits.split_at(9);
        let la_poste = siren == LA_POSTE && digit_sum(&digits).is_multiple_of(5);
        if !luhn(siren) || !(luhn(&digits) || la_poste) {
            return Err(Refusal::new(
                "siret-checksum",
                "Ce SIRET n’existe pas : vérifiez ses 14 chiffres, l’un d’eux est sans doute mal saisi.",
                "No such SIRET exists: check its 14 digits, one of them is probably mistyped.",
            ));
        }
        if siren == "000000000" || nic.starts_with("0000") {
            return Err(Refusal::new(
                "siret-never-given",
                "Ce SIRET n’a jamais été attribué : recopiez celui de votre établissement, par exemple d’un avis de \
                 situation au répertoire Sirene.",
                "This SIRET was never given to anybody: copy your establishment's own, for instance from a Sirene notice.",
            ));
        }
        Ok(Self(digits))
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
        // What was kept was judged when it came; what a person types is read by `parse`.
        if text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text));
        }
        Err("a SIRET that was kept is 14 digits".to_owned())
    }
}

/// The text without the label between a SIREN and a NIC, as registers print them one beside the other.
fn without_label_of_nic(text: &str) -> Cow<'_, str> {
    let is_mark = |character: char| pasted::is_around(character) || pasted::is_between(character);
    let Some(at) = text.to_ascii_lowercase().find("nic") else { return Cow::Borrowed(text) };
    let (siren, nic) = (text[..at].trim_end_matches(is_mark), text[at + 3..].trim_start_matches(is_mark));
    if siren.ends_with(|last: char| last.is_ascii_digit()) && nic.starts_with(|first: char| first.is_ascii_digit()) {
        return Cow::Owned(format!("{siren} {nic}"));
    }
    Cow::Borrowed(text)
}

fn not_a_digit(character: char) -> Refusal {
    let (fr, en) = (pasted::named(character, FRENCH), pasted::named(character, ENGLISH));
    Refusal::new(
        "siret-not-digits",
        format!("Le SIRET ne comporte que des chiffres : {fr} n’en est pas un."),
        format!("A SIRET has digits only: {en} is none."),
    )
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
    fn a_pasted_siret_is_taken_as_it_is_plainly_meant() {
        for pasted in [
            " 533\u{202f}846\u{a0}150 00019 ",
            "533.846.150.00019",
            "533-846-150-00019",
            "533‑846–150/00019",
            "SIRET : 533 846 150 00019",
            "SIRET de l’établissement : 53384615000019",
            "SIRET (siège) : 533 846 150 00019",
            "Mon SIRET est 53384615000019.",
            "• SIRET : 53384615000019",
            "Numéro d’immatriculation : 533 846 150 00019",
            "533846150|00019",
            "N° SIRET: 53384615000019.",
            "nume\u{301}ro de Siret\u{a0}: 533 846 150 00019\r\n",
            "Code INSEE / SIRET – 53384615000019",
            "\u{feff}533\u{200b}846\u{200e}150\u{ad}00019\u{2060}",
            "\u{202d}533 846 150 00019\u{202c}",
            "５３３８４６１５０ ０００１９",
            "=\"53384615000019\"",
            "'53384615000019",
            "« 533 846 150 00019 »",
            "SIREN 533 846 150 NIC 00019",
            "Siren : 533846150, Nic : 00019",
            "533 846 150 (NIC) 00019",
        ] {
            assert_eq!(
                Siret::parse(pasted).map(|siret| siret.to_string()).as_deref(),
                Ok("53384615000019"),
                "{pasted:?}"
            );
        }
    }

    #[test]
    fn what_is_no_digit_is_named() {
        for (wrong, named) in [
            ("5338461500001O", "«\u{a0}O\u{a0}»"),
            ("l3384615000019", "«\u{a0}l\u{a0}»"),
            ("533846150+00019", "«\u{a0}+\u{a0}»"),
            ("5,33846E+13", "«\u{a0},\u{a0}»"),
            ("533846150\u{202e}00019", "U+202E"),
            ("533846150\u{0}00019", "U+0000"),
            ("٥٣٣٨٤٦١٥٠٠٠٠١٩", "«\u{a0}٥\u{a0}»"),
            ("533846150\u{202e}NIC 00019", "U+202E"),
            ("Technicien 53384615000019", "«\u{a0}T\u{a0}»"),
            ("Toitures Martin 53384615000019", "«\u{a0}T\u{a0}»"),
        ] {
            let refusal = Siret::parse(wrong).unwrap_err();
            assert_eq!(refusal.code, "siret-not-digits", "{wrong:?}");
            assert!(refusal.fr.contains(named), "{wrong:?}: {}", refusal.fr);
        }
        assert_eq!(Siret::parse("n° SIRET :").unwrap_err().code, "siret-not-digits");
        assert_eq!(Siret::parse("SIRET : 533 846 150 0019").unwrap_err().code, "siret-length");
    }

    #[test]
    fn what_the_numbering_never_gives_is_refused_whatever_the_sums_say() {
        // The last digit makes both sums right, or La Poste's.
        for never in ["00000000000000", "00000000000018", "53384615000001", "35600000000006", "35600000000001"] {
            let refusal = Siret::parse(never).unwrap_err();
            let sums = luhn(&never[..9]) && (luhn(never) || digit_sum(never).is_multiple_of(5));
            assert_eq!(refusal.code, if sums { "siret-never-given" } else { "siret-checksum" }, "{never}");
        }
        assert_eq!(Siret::parse("00000000000018").unwrap_err().code, "siret-never-given");
        assert_eq!(Siret::parse("35600000000001").unwrap_err().code, "siret-never-given");
    }

    #[test]
    fn leading_zeros_of_a_siren_are_real() {
        // The first legal unit of the register's file.
        assert_eq!(Siret::parse("00032517500016").unwrap().as_str(), "00032517500016");
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

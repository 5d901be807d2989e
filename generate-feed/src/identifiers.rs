//! Member numbers and SIRETs: valid, unlike each other, and computed from the index alone.
//!
//! Walking a ring by a step that shares no factor with its size visits every place once. So two
//! indexes never give one number, without a list of what is taken. The starts are chosen such that
//! index 0 is the establishment of the leaflet, 012345 and 533 846 150 00019.

/// How many member numbers there are: six digits.
const MEMBER_NUMBERS: u64 = 1_000_000;
const FIRST_MEMBER_NUMBER: u64 = 12_345;
/// Odd and no multiple of 5, so coprime to 10^6; near the golden section, so neighbours are far apart.
const MEMBER_NUMBER_STEP: u64 = 618_033;

/// SIRENs begin at 300 000 000, as those of trading companies mostly do. Eight digits are free, the
/// ninth is the check digit.
const LOWEST_SIREN: u64 = 30_000_000;
const SIRENS: u64 = 70_000_000;
const FIRST_SIREN: u64 = 53_384_615;
/// Not a multiple of 2, 5 or 7, so coprime to 7 * 10^7.
const SIREN_STEP: u64 = 43_262_327;

/// The member number of the establishment with this index, below 10^6.
pub(crate) fn member_number(index: u32) -> String {
    let number = (FIRST_MEMBER_NUMBER + u64::from(index) * MEMBER_NUMBER_STEP) % MEMBER_NUMBERS;
    format!("{number:06}")
}

/// The SIRET of a company's site; sites count from 0.
#[must_use]
pub fn siret(company: u32, site: u32) -> String {
    let offset = FIRST_SIREN - LOWEST_SIREN + u64::from(company) * SIREN_STEP;
    let body = LOWEST_SIREN + offset % SIRENS;
    let mut digits = format!("{body:08}");
    digits.push(luhn_check_digit(&digits));
    digits.push_str(&format!("{:04}", site + 1));
    digits.push(luhn_check_digit(&digits));
    digits
}

/// The digit that makes `digits` followed by it pass Luhn's test.
fn luhn_check_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            // The check digit will stand at the right, so the last of these is doubled.
            let weighted = if place % 2 == 0 { digit * 2 } else { digit };
            weighted / 10 + weighted % 10
        })
        .sum();
    char::from(b'0' + u8::try_from((10 - sum % 10) % 10).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn passes_luhn(digits: &str) -> bool {
        let (body, check) = digits.split_at(digits.len() - 1);
        check.chars().eq([luhn_check_digit(body)])
    }

    #[test]
    fn the_first_establishment_is_the_leaflets() {
        assert_eq!(member_number(0), "012345");
        assert_eq!(siret(0, 0), "53384615000019");
    }

    #[test]
    fn known_numbers_have_their_check_digits() {
        assert_eq!(luhn_check_digit("7992739871"), '3');
        assert_eq!(luhn_check_digit("53384615"), '0');
        assert_eq!(luhn_check_digit("3560000000004"), '8');
    }

    #[test]
    fn numbers_are_valid_and_all_different() {
        let mut numbers = HashSet::new();
        let mut sirets = HashSet::new();
        for index in 0..200_000 {
            let siret = siret(index, 0);
            assert_eq!(siret.len(), 14);
            assert!(passes_luhn(&siret) && passes_luhn(&siret[..9]), "{siret}");
            assert!(sirets.insert(siret));
            assert!(numbers.insert(member_number(index)));
        }
        assert!(numbers.iter().all(|number| number.len() == 6));
    }
}

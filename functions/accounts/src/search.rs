//! Searching accounts by name, SIRET or number, as somebody types who has the company before their eyes.

use portal::domain::{MemberNumber, Siret, Words};
use portal::store::Grant;

/// Parts of words to be found, each of them, in the name, the SIRET or the number, whatever the case and the
/// accents; or a number written with spaces, as a SIRET is, or with its label, as it is pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(Words);

impl Search {
    pub(crate) fn of(text: &str) -> Self {
        let grouped: String = text.chars().filter(|character| !is_between_digits(*character)).collect();
        if !grouped.is_empty() && grouped.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self(Words::of(&grouped));
        }
        let pasted = Siret::parse(text).map(|siret| siret.to_string());
        match pasted.or_else(|_| MemberNumber::parse(text).map(|number| number.to_string())) {
            Ok(number) => Self(Words::of(&number)),
            Err(_) => Self(Words::of(text)),
        }
    }

    /// The search as text, the same for searches that find the same.
    pub(crate) fn as_text(&self) -> String {
        self.0.as_text()
    }

    pub(crate) fn finds(&self, account: &Grant) -> bool {
        self.0.are_in(&[&account.name, account.siret.as_str(), account.member_number.as_str()])
    }
}

/// What people set between groups of digits.
fn is_between_digits(character: char) -> bool {
    character.is_whitespace() || matches!(character, '.' | '-')
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use portal::domain::Id;
    use portal::store::Role;

    use super::*;

    fn account(name: &str) -> Grant {
        Grant {
            user_id: Id::from_bytes([7; 16]),
            member_number: MemberNumber::parse("012345").unwrap(),
            role: Role::Reader,
            siret: Siret::parse("53384615000019").unwrap(),
            name: name.to_owned(),
            active: true,
            since: Timestamp::UNIX_EPOCH,
            invitation_id: None,
            given_at: None,
            sirets_before: Vec::new(),
        }
    }

    #[test]
    fn parts_of_words_are_found_whatever_their_case_and_accents() {
        let account = account("Maçonnerie de l’Étoile & Œuvres S.A.");
        for found in [
            "",
            " ",
            "maçonnerie",
            "MACON",
            "etoile",
            "ÉTOILE",
            "l'etoile",
            "oeuvre",
            "œuvre",
            "toil maç",
            "S.A.",
            "e\u{301}toile",
            "012345",
            "2345",
            "533 846 150",
            "53384615000019",
            "533\u{a0}846\u{a0}150\u{a0}00019",
            "533.846",
            "SIRET : 533 846 150 00019",
            "n° adhérent 012345",
            "étoile 533",
            "&",
        ] {
            assert!(Search::of(found).finds(&account), "{found:?}");
        }
        for lost in ["martin", "macon x", "012346", "533 999", "533846 maçonx", "54321"] {
            assert!(!Search::of(lost).finds(&account), "{lost:?}");
        }
    }

    #[test]
    fn digits_are_found_in_a_name_too() {
        assert!(Search::of("2000").finds(&account("Bâtir 2000")));
        assert!(!Search::of("20 00").finds(&account("Bâtir 20 Paris")));
    }

    #[test]
    fn one_search_has_one_text() {
        assert_eq!(Search::of(" L’ÉTOILE "), Search::of("l etoile"));
        assert_eq!(Search::of("533 846").as_text(), "533846");
    }
}

//! The e-mail address that a person signs in with.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::pasted::{self, ENGLISH, FRENCH};
use super::{Refusal, domain_name};

/// RFC 5321, 4.5.3.1: 64 octets before the at sign, 254 for what fits into a path.
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST: usize = 254;

/// An e-mail address in lower case and ASCII, as the HTML standard's `input type=email` has it, with a dot in its
/// domain. A domain with accents is in its ASCII form (`contact@xn--socit-esab.fr`), so that all spellings of one address
/// are one key; [`Email::display`] gives the form that people read.
///
/// Lower case throughout: no provider that members use tells `Marie@` from `marie@`, and two accounts
/// for one mailbox would be a trap. Quoted local parts and literal addresses are refused, and so are letters beyond ASCII
/// before the at sign, where SES cannot send (it has no SMTPUTF8, RFC 6531).
///
/// `Debug` and `Display` show the first letter and the domain: a whole address never gets into a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

impl Email {
    /// Reads an address as people type and paste it: `mailto:` before it, a comma behind it and characters that cannot be
    /// seen are dropped, a phone's `’` is an apostrophe.
    ///
    /// # Errors
    /// `email-invalid`, in words that say what is wrong.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        // Word processors and PDF files have hyphens of their own.
        let visible = pasted::visible(text).replace(['\u{2010}', '\u{2011}', '\u{2212}'], "-");
        let address = bare(&visible);
        let (local, domain) = address.rsplit_once('@').ok_or_else(unreadable)?;
        let (local, domain) = (local.trim_end(), domain.trim_start());
        let local = local.replace(['’', '‘', '‛', 'ʼ', '´', '′'], "'").to_ascii_lowercase();
        if let Some(character) = local.chars().find(|character| !is_atext(*character)) {
            return Err(refused_in_local_part(character));
        }
        let domain = domain_name::to_ascii(domain).ok_or_else(|| refused_domain(domain))?;
        if !text.is_ascii() && joins_letters(text) {
            return Err(unreadable());
        }
        Self::canonical(format!("{local}@{domain}")).ok_or_else(unreadable)
    }

    /// Takes an address that is in the form in which it is kept.
    #[must_use]
    pub fn canonical(address: String) -> Option<Self> {
        let parts = address.rsplit_once('@').filter(|_| address.len() <= LONGEST);
        let valid = parts.is_some_and(|(local, domain)| is_local_part(local) && domain_name::is_ascii_domain(domain));
        valid.then_some(Self(address))
    }

    /// The address as people read it: a domain's accents are letters.
    #[must_use]
    pub fn display(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        format!("{local}@{}", domain_name::to_display(domain))
    }

    /// The whole address: for the store and for mail, never for a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address without what a page, a sentence or a list puts around it. A name before it stays, and is refused: what
/// goes into a mail's header is an address and nothing else.
fn bare<'a>(text: &'a str) -> &'a str {
    let is_around = |character: char| character.is_whitespace() || "\"“”«»,;".contains(character);
    // A dot before it is part of it, and wrong.
    let trim = |text: &'a str| {
        let text = text.trim_matches(is_around).trim_end_matches(|character| character == '.' || is_around(character));
        // One of a pair alone is a mistake, or more than an address.
        let inside = |(open, close): (char, char)| text.strip_prefix(open)?.strip_suffix(close);
        PAIRS.into_iter().find_map(inside).map_or(text, str::trim)
    };
    let text = trim(text);
    let text = match text.split_once(':') {
        Some((label, address)) if is_label(label) => trim(address),
        _ => text,
    };
    // `mailto:` may go on with a subject; no domain has a question mark.
    match (text.rfind('@'), text.rfind('?')) {
        (Some(at), Some(query)) if at < query => trim(&text[..query]),
        _ => text,
    }
}

const PAIRS: [(char, char); 5] = [('<', '>'), ('(', ')'), ('[', ']'), ('\'', '\''), ('‘', '’')];

/// Returns true for words that people and links write before an address.
fn is_label(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    ["mailto", "mail", "e-mail", "email", "courriel", "adresse", "adresse e-mail", "adresse mail"]
        .contains(&text.as_str())
}

fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character)
}

fn is_local_part(local: &str) -> bool {
    (1..=LONGEST_LOCAL_PART).contains(&local.len())
        && local.chars().all(|character| is_atext(character) && !character.is_ascii_uppercase())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

/// Whether a joiner that was dropped may be part of a word: it is in scripts from the Hebrew block on.
fn joins_letters(text: &str) -> bool {
    let is_such = |character: char| character.is_alphabetic() && matches!(character, '\u{590}'..='\u{1cff}');
    text.contains(['\u{200c}', '\u{200d}']) && text.contains(is_such)
}

fn refused_in_local_part(character: char) -> Refusal {
    if character == '@' || character == ',' || character == ';' {
        return Refusal::new(
            "email-invalid",
            "Donnez une seule adresse e-mail : elle s’écrit nom@domaine.fr.",
            "Give one e-mail address only: it is written name@domain.fr.",
        );
    }
    if character.is_whitespace() {
        return unreadable();
    }
    let (fr, en) = (pasted::named(character, FRENCH), pasted::named(character, ENGLISH));
    if character.is_alphabetic() {
        return Refusal::new(
            "email-invalid",
            format!(
                "Avant l’arobase, l’adresse ne peut pas comporter {fr} : la messagerie n’accepte là que des lettres sans \
                 accent. Après l’arobase, les accents sont admis."
            ),
            format!(
                "Before the at sign the address cannot have {en}: mail takes letters without accents only there. Behind \
                 the at sign accents are accepted."
            ),
        );
    }
    Refusal::new(
        "email-invalid",
        format!("L’adresse e-mail ne peut pas comporter {fr} : elle s’écrit nom@domaine.fr."),
        format!("An e-mail address cannot have {en}: it is written name@domain.fr."),
    )
}

fn refused_domain(domain: &str) -> Refusal {
    let is_odd = |character: &char| !character.is_alphanumeric() && !matches!(character, '.' | '-');
    match domain.chars().find(is_odd) {
        Some(character) if !character.is_whitespace() => {
            let (fr, en) = (pasted::named(character, FRENCH), pasted::named(character, ENGLISH));
            Refusal::new(
                "email-invalid",
                format!("Après l’arobase, l’adresse ne peut pas comporter {fr} : elle s’écrit nom@domaine.fr."),
                format!("Behind the at sign an address cannot have {en}: it is written name@domain.fr."),
            )
        }
        _ => unreadable(),
    }
}

fn unreadable() -> Refusal {
    Refusal::new(
        "email-invalid",
        "Cette adresse e-mail n’est pas valide : elle s’écrit nom@domaine.fr, sans espace.",
        "This is no valid e-mail address: it is written name@domain.fr, without spaces.",
    )
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        write!(formatter, "{}…@{domain}", &local[..local.len().min(1)])
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // What was kept is in its form already; what a person types is read by `parse`.
        Self::canonical(text).ok_or_else(|| "no e-mail address in the form in which one is kept".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_surrounding_space_make_no_other_address() {
        let plain = Email::parse("marie.martin@martin-btp.fr").unwrap();
        assert_eq!(Email::parse("  Marie.MARTIN@Martin-BTP.fr ").unwrap(), plain);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@exemple.fr", "a".repeat(65));
        for wrong in [
            "",
            "@",
            "marie",
            "marie@",
            "@exemple.fr",
            "marie@exemple",
            "marie@@exemple.fr",
            "ma rie@exemple.fr",
            ".marie@exemple.fr",
            "ma..rie@exemple.fr",
            "marie@-exemple.fr",
            "marie@exemple..fr",
            "marié@exemple.fr",
            "\"marie\"@exemple.fr",
            "marie@[127.0.0.1]",
            "marie@127.0.0.1",
            "marie@exemple.fr\r\nBcc: x@y.fr",
            "marie@exemple.fr,x@y.fr",
            long.as_str(),
        ] {
            assert_eq!(Email::parse(wrong).unwrap_err().code, "email-invalid", "{wrong:?}");
        }
    }

    #[test]
    fn a_pasted_address_is_taken_as_it_is_plainly_meant() {
        for pasted in [
            "\u{feff}jean.o'brien@martin-btp.fr\u{200b}",
            "jean.o’brien@martin-btp.fr\t\r\n",
            "jean.o\u{ad}'brien@martin\u{2060}-btp.fr",
            "mailto:Jean.O'Brien@martin-btp.fr",
            "« jean.o'brien@martin-btp.fr »;",
            "jean.o'brien@martin-btp.fr, ",
            "jean.o'brien@martin-btp.fr.",
            "jean.o'brien @ martin-btp.fr",
            "ｊｅａｎ.o'brien＠martin-btp.fr",
            "jean.o'brien@martin-btp。fr",
            "<jean.o'brien@martin-btp.fr>",
            "'jean.o'brien@martin-btp.fr'",
            "‘jean.o’brien@martin-btp.fr’",
            "(jean.o´brien@martin-btp.fr)",
            "jean.o'brien@martin\u{2011}btp.fr",
            "mailto: jean.o'brien@martin-btp.fr?subject=Bonjour",
            "E-mail : jean.o'brien@martin-btp.fr",
        ] {
            let email = Email::parse(pasted).unwrap_or_else(|refusal| panic!("{pasted:?}: {}", refusal.en));
            assert_eq!(email.as_str(), "jean.o'brien@martin-btp.fr", "{pasted:?}");
        }
    }

    #[test]
    fn all_spellings_of_an_accented_domain_are_one_address() {
        for typed in [
            "contact@société.fr",
            "Contact@SOCIÉTÉ.FR",
            "contact@socie\u{301}te\u{301}.fr",
            "contact@XN--socit-esab.fr",
        ] {
            let email = Email::parse(typed).unwrap();
            assert_eq!(email.as_str(), "contact@xn--socit-esab.fr", "{typed}");
            assert_eq!(email.display(), "contact@société.fr");
        }
        assert_eq!(Email::parse("a@martin.fr").unwrap().display(), "a@martin.fr");
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (wrong, said) in [
            ("rené@exemple.fr", "avant l’arobase, l’adresse ne peut pas comporter «\u{a0}é\u{a0}»"),
            ("marie@exemple.fr;paul@exemple.fr", "une seule adresse"),
            ("marie\u{202e}@exemple.fr", "u+202e"),
            ("Marie <marie@exemple.fr>", "sans espace"),
            ("<ma<rie@exemple.fr>", "«\u{a0}<\u{a0}»"),
            ("marie@exem!ple.fr", "«\u{a0}!\u{a0}»"),
            ("m arie@exemple.fr", "sans espace"),
        ] {
            let refusal = Email::parse(wrong).unwrap_err();
            assert_eq!(refusal.code, "email-invalid");
            assert!(refusal.fr.to_lowercase().contains(said), "{wrong:?}: {}", refusal.fr);
        }
    }

    #[test]
    fn what_is_kept_is_read_as_it_is() {
        let read = |text: &str| serde_json::from_value::<Email>(text.into()).map(|email| email.0).ok();
        assert_eq!(read("contact@xn--socit-esab.fr").as_deref(), Some("contact@xn--socit-esab.fr"));
        assert_eq!(read("Contact@martin.fr"), None);
        assert_eq!(read("contact@société.fr"), None);
    }

    #[test]
    fn neither_debug_nor_display_shows_the_address() {
        let email = Email::parse("marie.martin@exemple.fr").unwrap();
        assert_eq!(format!("{email} {email:?}"), "m…@exemple.fr m…@exemple.fr");
    }

    proptest! {
        #[test]
        fn reading_what_was_read_changes_nothing(text in "[a-zA-Z0-9._%+-]{1,20}@[a-zA-Z0-9.-]{1,20}\\.[a-zA-Z]{2,5}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }

        #[test]
        fn no_text_panics_and_none_with_a_control_character_passes(text in any::<String>()) {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(!email.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
                let _ = format!("{email:?}");
            }
        }
    }
}

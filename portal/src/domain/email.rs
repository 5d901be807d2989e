//! The e-mail address that a person signs in with.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// RFC 5321, 4.5.3.1: 64 octets before the at sign, 254 for what fits into a path.
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST: usize = 254;

/// An e-mail address in lower case, as the HTML standard's `input type=email` has it, with a dot in its
/// domain.
///
/// Lower case throughout: no provider that members use tells `Marie@` from `marie@`, and two accounts
/// for one mailbox would be a trap. Quoted local parts, literal addresses and non-ASCII are refused.
///
/// `Debug` and `Display` show the first letter and the domain: a whole address never gets into a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

impl Email {
    /// Reads an address; surrounding spaces are dropped.
    ///
    /// # Errors
    /// `email-invalid`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let address = text.trim().to_ascii_lowercase();
        let valid = address.len() <= LONGEST
            && address.rsplit_once('@').is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
        if valid {
            return Ok(Self(address));
        }
        Err(Refusal::new(
            "email-invalid",
            "Cette adresse e-mail n’est pas valide : elle s’écrit nom@domaine.fr, sans espace ni accent.",
            "This is no valid e-mail address: it is written name@domain.fr, without spaces or accents.",
        ))
    }

    /// The whole address: for the store and for mail, never for a log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local_part(local: &str) -> bool {
    let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=LONGEST_LOCAL_PART).contains(&local.len())
        && local.bytes().all(atext)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    domain.split('.').all(is_label) && domain.rsplit_once('.').is_some_and(|(_, top)| top.len() >= 2 && !numeric(top))
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
        Self::parse(&text).map_err(|refusal| refusal.en)
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

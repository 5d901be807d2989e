//! Passwords: what is accepted as one.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

use super::Strength;
use crate::domain::{Refusal, is_unfit};

/// A password as typed, prepared as RFC 8265 has it for an OpaqueString: every other space as U+0020, then in Unicode's
/// composed form (NFC). No `Debug`, wiped when dropped.
///
/// Keyboards differ in how they send an accented letter, and a Mac's sends U+00A0 for a space typed with the option key
/// held a moment too long; a person cannot see the difference (`docs/decisions/0005-passwords-in-nfc.md`).
#[derive(Clone)]
pub struct Password {
    prepared: Zeroizing<String>,
    with_its_spaces: Option<Zeroizing<String>>,
}

impl Password {
    /// In bytes of UTF-8, for each that was typed (Unicode Standard Annex 15).
    const LONGEST_COMPOSED: usize = 3;

    /// The password of what was typed.
    #[must_use]
    pub fn of(typed: String) -> Self {
        let typed = Zeroizing::new(typed);
        if !typed.contains(is_other_space) {
            return Self { prepared: composed(typed), with_its_spaces: None };
        }
        // A space becomes no longer.
        let mut spaced = Zeroizing::new(String::with_capacity(typed.len()));
        spaced.extend(typed.chars().map(|character| if is_other_space(character) { ' ' } else { character }));
        Self { prepared: composed(spaced), with_its_spaces: Some(composed(typed)) }
    }

    /// What was typed with its spaces as they are, where some are not U+0020: of that, hashes were made once. No hash that
    /// is made of a prepared password is of such a text, so it is no second guess.
    pub(super) fn with_its_spaces(&self) -> Option<Self> {
        let text = self.with_its_spaces.clone()?;
        Some(Self { prepared: text, with_its_spaces: None })
    }

    /// A character that cannot be seen, and so not be typed again: a control character or an invisible one, but the
    /// joiner within a pictogram.
    fn unseen(&self) -> Option<char> {
        self.prepared.chars().find(|character| *character != '\u{200d}' && is_unfit(*character))
    }

    /// Its bytes, for hashing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.prepared.as_bytes()
    }

    /// Its text, for the strength meter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.prepared
    }
}

/// Unicode's space separators (Zs) but U+0020.
fn is_other_space(character: char) -> bool {
    matches!(character, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

fn composed(text: Zeroizing<String>) -> Zeroizing<String> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    // With room for the longest, as text that grows leaves pieces of itself in memory.
    let mut composed = Zeroizing::new(String::with_capacity(text.len() * Password::LONGEST_COMPOSED));
    composed.extend(text.nfc());
    composed
}

/// What a new password must be: long enough, not a common one, and hard to guess for who knows the person.
///
/// No composition rules (NIST SP 800-63B, 3.1.1.2): they make passwords worse.
#[derive(Debug, Clone, Copy)]
pub struct PasswordPolicy;

impl PasswordPolicy {
    /// In code points.
    pub const SHORTEST: usize = 12;
    /// In code points; what is longer is no better and costs more to assess.
    pub const LONGEST: usize = 128;
    /// zxcvbn's "safely unguessable: moderate protection from offline slow-hash scenario".
    pub const LOWEST_SCORE: u8 = 3;

    /// Holds a new password, and how strong it was found to be, against the policy.
    ///
    /// # Errors
    /// `password-bad-character`, `password-too-short`, `password-too-long`, `password-too-common`, `password-too-weak`.
    pub fn check(password: &Password, strength: &Strength) -> Result<(), Refusal> {
        if let Some(character) = password.unseen() {
            let code = u32::from(character);
            return Err(Refusal::new(
                "password-bad-character",
                format!(
                    "Ce mot de passe contient un caractère invisible ou de contrôle (U+{code:04X}), que vous ne sauriez \
                     ressaisir : retirez-le."
                ),
                format!(
                    "This password holds an invisible or control character (U+{code:04X}) that you could not type again: \
                     take it out."
                ),
            ));
        }
        let length = password.as_str().chars().count();
        if length < Self::SHORTEST {
            return Err(Refusal::new(
                "password-too-short",
                format!("Le mot de passe comporte au moins {} caractères.", Self::SHORTEST),
                format!("A password has at least {} characters.", Self::SHORTEST),
            ));
        }
        if length > Self::LONGEST {
            return Err(Refusal::new(
                "password-too-long",
                format!("Le mot de passe comporte au plus {} caractères.", Self::LONGEST),
                format!("A password has at most {} characters.", Self::LONGEST),
            ));
        }
        if strength.is_common {
            return Err(Refusal::new(
                "password-too-common",
                "Ce mot de passe est très courant : choisissez-en un que personne d’autre n’utilise.",
                "This is a very common password: choose one that nobody else uses.",
            ));
        }
        if strength.score < Self::LOWEST_SCORE {
            return Err(Refusal::new(
                "password-too-weak",
                "Ce mot de passe est trop facile à deviner : ajoutez un ou deux mots peu courants.",
                "This password is too easy to guess: add another word or two, uncommon ones.",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::assess;

    fn code(password: &str, known: &[&str]) -> Option<&'static str> {
        let password = Password::of(password.to_owned());
        PasswordPolicy::check(&password, &assess(&password, known)).err().map(|refusal| refusal.code)
    }

    #[test]
    fn length_counts_code_points() {
        assert_eq!(code("éàü€œ-3 qwz", &[]), Some("password-too-short"));
        assert_eq!(code(&"é€ñ_ xK9".repeat(17), &[]), Some("password-too-long"));
        assert_eq!(code("truelle béton mésange 41", &[]), None);
    }

    #[test]
    fn what_an_attacker_knows_makes_it_weak() {
        let known = ["jeanne.krzywdzinska@gravelines-terrassement.example"];
        assert_eq!(code("constructys2012", &[]), Some("password-too-weak"));
        assert_eq!(code("zyzyzyzyzyzyzyzyzyzyzy", &[]), Some("password-too-weak"));
        assert_eq!(code("jeannekrzywdzinska", &known), Some("password-too-weak"));
        assert_eq!(code("jeannekrzywdzinska", &[]), None);
    }

    #[test]
    fn a_common_password_is_refused_however_strong_it_looks() {
        // zxcvbn, which knows 30,000 passwords, finds them strong.
        for common in ["marseille94700", "StargateAsgard2009", "neednottoknow!"] {
            assert_eq!(code(common, &[]), Some("password-too-common"), "{common}");
            assert!(u8::from(zxcvbn::zxcvbn(common, &[]).score()) >= PasswordPolicy::LOWEST_SCORE, "{common}");
        }
        assert_eq!(common_passwords::SHORTEST + common_passwords::APPENDED, PasswordPolicy::SHORTEST);
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        let (composed, decomposed) = (Password::of("b\u{e9}ton".into()), Password::of("be\u{301}ton".into()));
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
    }

    #[test]
    fn spaces_of_every_kind_are_one_password() {
        let plain = Password::of("truelle b\u{e9}ton 41".into());
        for space in "\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\
                      \u{200a}\u{202f}\u{205f}\u{3000}"
            .chars()
        {
            let other = Password::of(format!("truelle{space}be\u{301}ton 41"));
            assert_eq!(other.as_bytes(), plain.as_bytes(), "{space:?}");
            let as_typed = other.with_its_spaces().unwrap();
            // Composing alone makes U+2002 and U+2003 of U+2000 and U+2001.
            assert_eq!(as_typed.as_str(), format!("truelle{space}b\u{e9}ton 41").nfc().collect::<String>());
        }
        assert!(plain.with_its_spaces().is_none());
        assert_ne!(Password::of(" truelle".into()).as_bytes(), Password::of("truelle".into()).as_bytes());
    }

    #[test]
    fn what_cannot_be_seen_is_refused_in_a_new_password_and_any_sign_is_taken() {
        for unseen in ["\t", "\n", "\0", "\u{7f}", "\u{200b}", "\u{feff}", "\u{202e}", "\u{ad}", "\u{2028}"] {
            let text = format!("truelle béton{unseen} mésange 41");
            assert_eq!(code(&text, &[]), Some("password-bad-character"), "{unseen:?}");
        }
        assert_eq!(code("truelle 👷🏽\u{200d}♂\u{fe0f} mésange béton", &[]), None);
    }
}

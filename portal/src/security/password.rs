//! Passwords: what is accepted as one.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

use super::Strength;
use crate::domain::Refusal;

/// A password as typed, in Unicode's composed form (NFC). No `Debug`, wiped when dropped.
///
/// Composed, because keyboards differ in how they send an accented letter and a person cannot see the
/// difference (RFC 8265, OpaqueString; `docs/decisions/0005-passwords-in-nfc.md`).
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// In bytes of UTF-8, for each that was typed (Unicode Standard Annex 15).
    const LONGEST_COMPOSED: usize = 3;

    /// The password of what was typed.
    #[must_use]
    pub fn of(typed: String) -> Self {
        let typed = Zeroizing::new(typed);
        if is_nfc_quick(typed.chars()) == IsNormalized::Yes {
            return Self(typed);
        }
        // With room for the longest, as text that grows leaves pieces of itself in memory.
        let mut composed = Zeroizing::new(String::with_capacity(typed.len() * Self::LONGEST_COMPOSED));
        composed.extend(typed.nfc());
        Self(composed)
    }

    /// Its bytes, for hashing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Its text, for the strength meter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    /// `password-too-short`, `password-too-long`, `password-too-common`, `password-too-weak`.
    pub fn check(password: &Password, strength: &Strength) -> Result<(), Refusal> {
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
}

//! A new password and its confirmation, as the forms of several routes bring them.

use super::{Password, PasswordPolicy, assess};
use crate::domain::Refusal;
use crate::http::Form;

/// What a form brought, not held against the policy yet.
pub struct NewPassword {
    password: Option<Password>,
    differs: bool,
}

impl NewPassword {
    /// Reads `password` and `password_confirmation`.
    pub fn read(form: &mut Form) -> Self {
        let password = form.verbatim("password").map(Password::of);
        let confirmation = form.verbatim("password_confirmation").map(Password::of);
        // As prepared: what a person cannot see makes no difference here either.
        let differs =
            matches!((&password, &confirmation), (Some(one), Some(other)) if one.as_bytes() != other.as_bytes());
        Self { password, differs }
    }

    /// The password, where it holds: `known` are words that an attacker knows to go with the person. What is
    /// wrong with it is refused in the form.
    pub fn held_against_policy(self, form: &mut Form, known: &[&str]) -> Option<Password> {
        let held =
            self.password.and_then(|password| match PasswordPolicy::check(&password, &assess(&password, known)) {
                Ok(()) => Some(password),
                Err(refusal) => form.refuse("password", refusal),
            });
        if self.differs {
            return form.refuse("password_confirmation", passwords_differ());
        }
        held
    }
}

fn passwords_differ() -> Refusal {
    Refusal::new(
        "passwords-differ",
        "Les deux mots de passe diffèrent : ressaisissez la confirmation.",
        "The two passwords differ: type the confirmation again.",
    )
}

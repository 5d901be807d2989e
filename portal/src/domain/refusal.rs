//! Why a value was refused, in words for the person who typed it.

/// A refused value: a code for programs, and what to do about it in French and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Kebab-case, part of the contract (`errors[].code`).
    pub code: &'static str,
    /// French text.
    pub fr: String,
    /// English text.
    pub en: String,
}

impl Refusal {
    /// A refusal with its two texts.
    pub fn new(code: &'static str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code, fr: fr.into(), en: en.into() }
    }
}

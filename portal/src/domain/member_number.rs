//! The member number (*numéro adhérent*): six digits, printed on remittance notices.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::siret::without_spaces;

/// A member number: six digits, where leading zeros count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct MemberNumber(String);

impl MemberNumber {
    /// Reads a member number; spaces are dropped.
    ///
    /// # Errors
    /// `member-number` where it is not six digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = without_spaces(text);
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(digits));
        }
        Err(Refusal::new(
            "member-number",
            "Le numéro adhérent comporte 6 chiffres, zéros compris ; il figure sur vos avis de virement.",
            "A member number has 6 digits, zeros included; it is printed on your remittance notices.",
        ))
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for MemberNumber {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|refusal| refusal.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_count() {
        assert_eq!(MemberNumber::parse("012 345").unwrap().as_str(), "012345");
        for wrong in ["12345", "0123456", "01234a", "", "٠١٢٣٤٥"] {
            assert_eq!(MemberNumber::parse(wrong).unwrap_err().code, "member-number", "{wrong}");
        }
    }
}

//! Identifiers: the portal's own random ones, and the back office's.

use std::fmt;

use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{MemberNumber, Refusal};

/// A random identifier of 128 bits, as 32 lower-case hex digits: a user, a session, a receipt, an outbox
/// entry. It names a thing and opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id([u8; 16]);

impl Id {
    /// A fresh identifier.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// An identifier from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads 32 lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&to_hex(&self.0))
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("an identifier has 32 hex digits")
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

/// Lower-case hex.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    // Without a formatter, which took 4,600 instructions for an identifier: a page of a ledger has a hundred.
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        hex.push(DIGITS[usize::from(byte >> 4)]);
        hex.push(DIGITS[usize::from(byte & 15)]);
    }
    hex
}

/// Reads lower-case hex of exactly `N` bytes.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

/// An identifier of the back office: opaque, 1 to 64 of `[A-Za-z0-9._-]`.
///
/// None of these characters is `#`, which parts the pieces of a key in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Identifier(String);

impl Identifier {
    /// Reads an identifier.
    ///
    /// # Errors
    /// `identifier`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::check(text).map(|()| Self(text.to_owned()))
    }

    fn check(text: &str) -> Result<(), Refusal> {
        let allowed = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(());
        }
        Err(Refusal::new(
            "identifier",
            "Un identifiant comporte 1 à 64 lettres, chiffres, points, tirets ou soulignés.",
            "An identifier has 1 to 64 letters, digits, dots, hyphens or underscores.",
        ))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Not copied: a page of the ledger has hundreds.
        Self::check(&text).map(|()| Self(text)).map_err(|refusal| refusal.en)
    }
}

impl From<&MemberNumber> for Identifier {
    fn from(number: &MemberNumber) -> Self {
        // Six digits.
        Self(number.as_str().to_owned())
    }
}

impl From<Id> for Identifier {
    fn from(id: Id) -> Self {
        // 32 hexadecimal digits.
        Self(id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_read_as_it_was_written(bytes in any::<[u8; 16]>()) {
            prop_assert_eq!(Id::parse(&Id::from_bytes(bytes).to_string()), Some(Id::from_bytes(bytes)));
        }

        #[test]
        fn no_identifier_holds_what_parts_keys(text in "\\PC{0,70}") {
            if let Ok(identifier) = Identifier::parse(&text) {
                prop_assert!(!identifier.as_str().contains(['#', '/', ' ']) && !identifier.as_str().is_empty());
            }
        }
    }

    #[test]
    fn ids_of_another_form_are_none() {
        for wrong in ["", "0", "zz", &"A".repeat(32), &"a".repeat(33), &"é".repeat(16)] {
            assert_eq!(Id::parse(wrong), None, "{wrong}");
        }
    }
}

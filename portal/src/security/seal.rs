//! Sealing what evidence keeps of a request, so that erasing the user makes it unreadable.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A user's own AES-256-GCM key; deleted with the user. No `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// A fresh key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Seals a text under a random nonce, base64, for one place: `place` names the record and its field, is
    /// authenticated with the text (the AAD of NIST SP 800-38D) and has to be named again to open it, so a text that
    /// was moved elsewhere stays shut. A user's key seals a few thousand texts in a lifetime, far below the 2^32 that
    /// random nonces permit.
    pub fn seal(&self, plain: &[u8], place: &str, rng: &mut impl CryptoRng) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let mut sealed = plain.to_vec();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.0.as_slice()).ok()?);
        let place = Aad::from(place.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed).ok()?;
        Some(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed; `None` where it was not sealed under this key and for this place, or was changed.
    #[must_use]
    pub fn open(&self, sealed: &str, place: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.0.as_slice()).ok()?);
        let mut sealed = sealed.to_vec();
        let place = Aad::from(place.as_bytes());
        let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

impl TryFrom<String> for SealKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(text).unwrap_or_default());
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| "a seal key has 32 bytes")?;
        Ok(Self(Zeroizing::new(key)))
    }
}

impl From<SealKey> for String {
    fn from(key: SealKey) -> Self {
        STANDARD_NO_PAD.encode(key.0.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::rng;

    #[test]
    fn only_the_same_key_and_place_open_and_only_the_unchanged() {
        let mut rng = rng();
        let (key, other) = (SealKey::random(&mut rng), SealKey::random(&mut rng));
        let sealed = key.seal(b"203.0.113.7", "1#witness", &mut rng).unwrap();
        assert_ne!(sealed, key.seal(b"203.0.113.7", "1#witness", &mut rng).unwrap());
        assert_eq!(key.open(&sealed, "1#witness").unwrap(), b"203.0.113.7");
        assert_eq!(other.open(&sealed, "1#witness"), None);
        for elsewhere in ["2#witness", "1#confirmed_by", ""] {
            assert_eq!(key.open(&sealed, elsewhere), None, "{elsewhere}");
        }
        let mut changed = sealed.clone().into_bytes();
        changed[20] ^= 1;
        assert_eq!(key.open(&String::from_utf8(changed).unwrap(), "1#witness"), None);
        let stored = SealKey::try_from(String::from(key)).unwrap();
        assert_eq!(stored.open(&sealed, "1#witness").unwrap(), b"203.0.113.7");
    }
}

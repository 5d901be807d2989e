//! The private keys that sign access tokens, and when each of them does.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::EncodingKey;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::{Id, to_hex};
use crate::store::PublicKey;

/// One Ed25519 key. No `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its name.
    pub kid: String,
    /// The private key's seed, base64url.
    seed: Zeroizing<String>,
    /// From when on it signs.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub active_from: Timestamp,
}

/// The keys as their secret holds them: a JSON object. No `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KeyRing {
    /// Oldest first.
    pub keys: Vec<SigningKey>,
}

/// How long a key signs before the next takes over.
const SIGNS_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a key is published before it signs, so that every cache of the JWKS has it by then.
const PUBLISHED_BEFORE: Duration = Duration::from_secs(24 * 3600);

impl SigningKey {
    /// A fresh key that signs from `active_from` on.
    pub fn random(active_from: Timestamp, rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        let kid = to_hex(&Id::random(rng).as_bytes()[..8]);
        Self { kid, seed: Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.as_slice())), active_from }
    }

    fn pair(&self) -> Option<Ed25519KeyPair> {
        let seed = Zeroizing::new(URL_SAFE_NO_PAD.decode(self.seed.as_bytes()).ok()?);
        Ed25519KeyPair::from_seed_unchecked(&seed).ok()
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        let x = URL_SAFE_NO_PAD.encode(self.pair()?.public_key().as_ref());
        Some(PublicKey { kid: self.kid.clone(), x, active_from: self.active_from })
    }

    /// For signing.
    #[must_use]
    pub fn encoding_key(&self) -> Option<EncodingKey> {
        let document = self.pair()?.to_pkcs8v1().ok()?;
        Some(EncodingKey::from_ed_der(document.as_ref()))
    }
}

impl KeyRing {
    /// Reads the secret's text.
    ///
    /// # Errors
    /// Where it is no key ring.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The key that signs at `now`: the newest that is active.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().filter(|key| key.active_from <= now).max_by_key(|key| key.active_from)
    }

    /// The ring as it should be at `now`: a current key, a next one in time, the previous one for as
    /// long as its tokens live. The same ring where nothing is due.
    #[must_use]
    pub fn rotated(&self, now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        let mut keys = self.keys.clone();
        keys.sort_by_key(|key| key.active_from);
        match keys.last().map(|newest| newest.active_from) {
            None => keys.push(SigningKey::random(now, rng)),
            Some(active_from) if now + PUBLISHED_BEFORE >= active_from + SIGNS_FOR => {
                keys.push(SigningKey::random((active_from + SIGNS_FOR).max(now + PUBLISHED_BEFORE), rng));
            }
            Some(_) => {}
        }
        // A key is of use until the tokens that it signed last are dead: an hour is six lifetimes.
        let successors: Vec<_> = keys.iter().skip(1).map(|key| key.active_from).map(Some).chain([None]).collect();
        let mut successor = successors.into_iter();
        keys.retain(|_| {
            successor.next().flatten().is_none_or(|taken_over| now < taken_over + Duration::from_secs(3600))
        });
        Self { keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::rng;

    #[test]
    fn a_key_is_published_a_day_before_it_signs_and_kept_while_its_tokens_live() {
        let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let day = Duration::from_secs(24 * 3600);
        let mut rng = rng();
        let mut ring = KeyRing::default().rotated(start, &mut rng);
        assert_eq!(ring.current(start).unwrap().kid, ring.keys[0].kid, "the first signs at once");
        let mut signing = vec![ring.keys[0].kid.clone()];
        for days in 1..100 {
            let now = start + day * days;
            let before: Vec<_> = ring.keys.iter().map(|key| key.kid.clone()).collect();
            ring = ring.rotated(now, &mut rng);
            assert!(ring.keys.len() <= 3);
            let current = ring.current(now).unwrap().kid.clone();
            assert!(before.contains(&current), "no key signs on the day it is made");
            if signing.last() != Some(&current) {
                signing.push(current);
            }
        }
        assert_eq!(signing.len(), 4, "30 days each");
        assert_eq!(ring.rotated(start + day * 99, &mut rng).keys.len(), ring.keys.len(), "a repeat changes nothing");
    }
}

//! Access tokens that the portal never issued.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portal::security::read_secret;
use serde_json::{Value, json};

use crate::World;

/// The portal's own signing key, in the wrong hands: what it signs differs from a real token in one
/// respect at a time.
pub struct Forge {
    pair: Ed25519KeyPair,
    kid: String,
    public: Vec<u8>,
}

impl Forge {
    /// Steals the key that signs now.
    pub async fn of(world: &World) -> Self {
        let ring = read_secret(world.portal.environment(), "SIGNING_KEYS_SECRET").await.expect("the secret");
        let ring: Value = serde_json::from_str(&ring).expect("a key ring");
        let key = &ring["keys"][0];
        let seed = URL_SAFE_NO_PAD.decode(key["seed"].as_str().expect("a seed")).expect("base64url");
        let kid = key["kid"].as_str().expect("a name").to_owned();
        let keys = world.visitor().get("/.well-known/jwks.json").await.expect(200);
        let published = keys["keys"].as_array().expect("keys").iter().find(|key| key["kid"] == kid.as_str());
        let public = published.and_then(|key| key["x"].as_str()).expect("the key is published");
        let public = URL_SAFE_NO_PAD.decode(public).expect("base64url");
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed"), kid, public }
    }

    /// The header of a real token.
    pub fn header(&self) -> Value {
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid})
    }

    /// The claims of a real token.
    pub fn claims(token: &str) -> Value {
        let claims = token.split('.').nth(1).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
    }

    /// A token signed as the portal signs.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// A token without a signature, or with this text in its place.
    pub fn unsigned(header: &Value, claims: &Value, instead: &str) -> String {
        format!("{}.{instead}", message(header, claims))
    }

    /// A token whose "secret" is the public key that everybody can read.
    pub fn hashed_with_public_key(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.public), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// A token signed with a key that is nobody's, under the name of the real one.
    pub fn signed_with_another_key(&self, claims: &Value) -> String {
        let other = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let message = message(&self.header(), claims);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(other.sign(message.as_bytes()).as_ref()))
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

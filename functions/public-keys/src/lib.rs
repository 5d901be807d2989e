//! `GET /.well-known/jwks.json`: the public keys that access tokens are verified with (RFC 7517).
//!
//! The current key, the next one from a day before it signs, and the previous one while its tokens live.

use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::store::{PublicKey, Store, Table};
use serde_json::{Value, json};

/// The function `public-keys`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "public-keys";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Identity])? })
    }

    async fn answer(&self, _call: &Call) -> Result<Answer, Problem> {
        let mut keys: Vec<PublicKey> = self.store.query_all(&PublicKey::all()).await?;
        keys.sort_by_key(|key| key.active_from);
        let jwk = |key: &PublicKey| json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": key.x});
        let keys: Value = keys.iter().map(jwk).collect();
        // Five minutes, far below the day that a key is published before it signs.
        Ok(Answer::ok(&json!({"keys": keys}))?.cacheable("public, max-age=300"))
    }
}

//! Access tokens: JWTs signed with Ed25519 (RFC 9068's profile), ten minutes long.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::SigningKey;
use crate::domain::{Id, Siret};
use crate::environment::{Environment, StartError};
use crate::store::{PublicKey, Session, Store, StoreError};

/// How long a token is valid.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// Whom a token is for.
pub const AUDIENCE: &str = "portal";

/// The token's type (RFC 9068, 2.1): no other JWT of the same key passes for one.
const TYPE: &str = "at+jwt";

/// How far the clocks of two of our machines may be apart.
const SKEW_SECONDS: i64 = 5;

/// How often, at most, an unknown key makes us look for new ones.
const RELOAD_SECONDS: i64 = 10;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The portal's origin.
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The user.
    pub sub: Id,
    /// The session.
    pub sid: Id,
    /// The user's epoch at log-in.
    pub epoch: u64,
    /// This token's own id.
    pub jti: Id,
    /// Issued, in seconds.
    pub iat: i64,
    /// Valid from, in seconds.
    pub nbf: i64,
    /// Dead from, in seconds.
    pub exp: i64,
    /// The user's SIRET when it was issued: tells a read what to fetch beside the user. Never believed. Nothing is said
    /// of the user's address: a hash of it could be matched against a list of addresses.
    pub siret: Siret,
}

impl Claims {
    /// The claims of a new token.
    pub fn new(issuer: &str, session: &Session, siret: &Siret, now: Timestamp, rng: &mut impl CryptoRng) -> Self {
        Self {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: session.user_id,
            sid: session.session_id,
            epoch: session.epoch,
            jti: Id::random(rng),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: (now + LIFETIME).as_second(),
            siret: siret.clone(),
        }
    }

    /// The token, signed.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Option<String> {
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, self, &key.encoding_key()?).ok()
    }
}

/// Verifies access tokens with the public keys of the identity table.
#[derive(Clone)]
pub struct AccessTokens {
    issuer: String,
    keys: Arc<RwLock<Keys>>,
}

#[derive(Default)]
struct Keys {
    by_kid: HashMap<String, DecodingKey>,
    loaded_at: i64,
}

impl AccessTokens {
    /// Reads the keys there are; the issuer is the portal's origin.
    ///
    /// A store that fails at this moment is no reason not to start: the first call asks again, and can say so.
    ///
    /// # Errors
    /// Where the origin is missing.
    pub async fn start(environment: &Environment, store: &Store) -> Result<Self, StartError> {
        let issuer = environment.variable("PORTAL_ORIGIN")?.to_owned();
        let tokens = Self { issuer, keys: Arc::default() };
        tokens.load(store, environment.clock.now()).await.ok();
        Ok(tokens)
    }

    /// Who issues our tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claims of a valid token; `None` for any other text.
    ///
    /// # Errors
    /// Where a key has to be looked up and the store fails.
    pub async fn verify(&self, token: &str, store: &Store, now: Timestamp) -> Result<Option<Claims>, StoreError> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        let foreign = header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.crit.is_some();
        if foreign || header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Ok(None);
        }
        let Some(kid) = header.kid else { return Ok(None) };
        let Some(key) = self.key(&kid, store, now).await? else { return Ok(None) };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        // The library compares with the system's clock; ours is an argument.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let Ok(data) = jsonwebtoken::decode::<Claims>(token, &key, &validation) else { return Ok(None) };
        let claims = data.claims;
        let valid = claims.nbf <= now.as_second() + SKEW_SECONDS && now.as_second() < claims.exp;
        Ok(valid.then_some(claims))
    }

    async fn key(&self, kid: &str, store: &Store, now: Timestamp) -> Result<Option<DecodingKey>, StoreError> {
        let known = |keys: &Keys| keys.by_kid.get(kid).cloned();
        let loaded_at = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = known(&keys) {
                return Ok(Some(key));
            }
            keys.loaded_at
        };
        if now.as_second() < loaded_at + RELOAD_SECONDS && loaded_at != 0 && self.has_keys() {
            return Ok(None);
        }
        self.load(store, now).await?;
        Ok(known(&self.keys.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn has_keys(&self) -> bool {
        !self.keys.read().unwrap_or_else(PoisonError::into_inner).by_kid.is_empty()
    }

    async fn load(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let public: Vec<PublicKey> = store.query_all(&PublicKey::all()).await?;
        let decoding = |key: &PublicKey| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?));
        let by_kid = public.iter().filter_map(decoding).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys { by_kid, loaded_at: now.as_second() };
        Ok(())
    }
}

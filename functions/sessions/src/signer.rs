//! Signs access tokens with the current key of the ring.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use portal::domain::Siret;
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Problem};
use portal::security::{ACCESS_TOKEN_LIFETIME, Claims, KeyRing, RefreshToken, SigningKey, read_secret};
use portal::store::{EmailProblem, Session};
use rand::CryptoRng;
use serde_json::json;

use crate::Function;

/// How long the ring is kept in memory: far shorter than the day that a key is published before use.
const KEPT: Duration = Duration::from_secs(600);

#[derive(Clone)]
pub(crate) struct Signer {
    environment: Environment,
    issuer: String,
    ring: Arc<RwLock<(KeyRing, Timestamp)>>,
}

impl Signer {
    pub(crate) async fn start(environment: &Environment) -> Result<Self, StartError> {
        let issuer = environment.variable("PORTAL_ORIGIN")?.to_owned();
        let ring = load(environment).await?;
        let ring = Arc::new(RwLock::new((ring, environment.clock.now())));
        Ok(Self { environment: environment.clone(), issuer, ring })
    }

    /// The key to sign with. Asked for before a session is written: who cannot be given a token shall not
    /// lose the one they have.
    pub(crate) async fn key(&self, now: Timestamp) -> Result<SigningKey, Problem> {
        let (known, is_fresh) = {
            let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
            (ring.0.current(now).cloned(), now < ring.1 + KEPT)
        };
        match known {
            Some(key) if is_fresh => Ok(key),
            known => match (load(&self.environment).await, known) {
                (Ok(ring), _) => {
                    let current = ring.current(now).cloned();
                    *self.ring.write().unwrap_or_else(PoisonError::into_inner) = (ring, now);
                    current.ok_or_else(|| unavailable("there is no signing key yet: has rotate-keys run?"))
                }
                // A key is published a day before it signs and kept an hour after: the known one will do.
                (Err(_), Some(key)) => Ok(key),
                (Err(error), None) => Err(unavailable(&error.to_string())),
            },
        }
    }
}

async fn load(environment: &Environment) -> Result<KeyRing, StartError> {
    let text = read_secret(environment, "SIGNING_KEYS_SECRET").await?;
    KeyRing::parse(&text)
        .map_err(|_| StartError::Secret { name: "SIGNING_KEYS_SECRET", reason: "it is no key ring".to_owned() })
}

fn unavailable(why: &str) -> Problem {
    Problem::TryAgain { context: why.to_owned() }
}

/// A session that is open now, with what else its owner is to know.
pub(crate) struct Opened<'a> {
    pub(crate) session: &'a Session,
    /// Its refresh token, for the cookie.
    pub(crate) refresh: &'a RefreshToken,
    /// Its last use that is on record.
    pub(crate) used_at: Timestamp,
    /// Why the owner's address is not mailed any more.
    pub(crate) email_problem: Option<EmailProblem>,
}

impl Function {
    /// The answer to log-in and refresh: an access token, and the refresh token in its cookie.
    pub(crate) fn tokens(
        &self,
        opened: Opened<'_>,
        siret: &Siret,
        key: &SigningKey,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let Opened { session, refresh, used_at, email_problem } = opened;
        let claims = Claims::new(&self.signer.issuer, session, siret, now, rng);
        let access_token =
            claims.sign(key).ok_or_else(|| Problem::Internal { context: "a signing key does not sign".to_owned() })?;
        let seconds_to = |end: Timestamp| end.duration_since(now).as_secs().max(0);
        let mut body = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFETIME.as_secs(),
            "session_idle_in": seconds_to(session.expires_at.min(used_at + Session::IDLE)),
            "session_ends_in": seconds_to(session.expires_at),
        });
        if let Some(problem) = email_problem {
            body["email_problem"] = json!(problem);
        }
        Ok(Answer::ok(&body)?.with_cookie(self.cookies.set(refresh)?))
    }
}

//! What a user does with their own space: `GET` and `PATCH /api/me` (« Modifiez votre compte », leaflet S19),
//! `POST /api/me/password`, `POST /api/me/email`, `GET /api/me/export`, `DELETE /api/me`.

mod change;
mod email;
mod erase;
mod events;
mod export;
mod password;

use portal::environment::{Environment, StartError, rng};
use portal::erasure::Erasure;
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Credentials, Gate, Hashing, Password, Proven};
use portal::store::{Store, Table, User};
use rand::CryptoRng;
use serde_json::{Value, json};

/// How often a change of the caller's own is tried again because something of theirs changed in between: no
/// more than 25 wrong passwords can, and some mails.
const MOST_ATTEMPTS: usize = 40;

/// The function `profile`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    hashing: Hashing,
    credentials: Credentials,
    erasure: Erasure,
}

impl HttpFunction for Function {
    const NAME: &'static str = "profile";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        let hashing = Hashing::default();
        let credentials = Credentials::new(&store, &hashing);
        let erasure = Erasure::new(&store);
        Ok(Self { gate: Gate::start(environment, &store).await?, store, hashing, credentials, erasure })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/me" => Answer::ok(&shown(&self.gate.caller(call).await?.user)),
            "PATCH /api/me" => self.change(call, &mut rng()).await,
            "DELETE /api/me" => self.erase(call, &mut rng()).await,
            "POST /api/me/password" => self.change_password(call, &mut rng()).await,
            "POST /api/me/email" => self.change_email(call, &mut rng()).await,
            "GET /api/me/export" => self.export(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

impl Function {
    /// Proves the caller's password, before anything else that they sent is looked at. A form without one
    /// goes on, to be refused with all that is wrong with it.
    async fn prove(
        &self,
        user: &User,
        current: Option<&Password>,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Proven>, Problem> {
        let Some(current) = current else { return Ok(None) };
        match self.credentials.prove(&user.email, current.clone(), call, rng).await {
            Ok(proven) => proven.settle(call, rng).await.map(Some),
            Err(Problem::BadCredentials) => Err(Problem::BadCurrentPassword),
            Err(problem) => Err(problem),
        }
    }
}

fn shown(user: &User) -> Value {
    let mut profile = json!({
        "id": user.user_id,
        "email": user.email.display(),
        "siret": user.siret,
        "civility": user.civility,
        "last_name": user.last_name,
        "first_name": user.first_name,
        "job_title": user.job_title,
        "created_at": user.created_at,
    });
    if let Some(problem) = user.email_problem {
        profile["email_problem"] = json!(problem);
    }
    profile
}

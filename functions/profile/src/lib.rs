//! `GET /api/me` and `PATCH /api/me`: « Modifiez votre compte » (leaflet S19).

mod change;
mod seats;

use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{Store, Table, User};
use serde_json::{Value, json};

/// The function `profile`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
}

impl HttpFunction for Function {
    const NAME: &'static str = "profile";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/me" => Answer::ok(&shown(&self.gate.caller(call).await?.user)),
            "PATCH /api/me" => self.change(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

fn shown(user: &User) -> Value {
    json!({
        "id": user.user_id,
        "email": user.email,
        "siret": user.siret,
        "civility": user.civility,
        "last_name": user.last_name,
        "first_name": user.first_name,
        "job_title": user.job_title,
        "created_at": user.created_at,
    })
}

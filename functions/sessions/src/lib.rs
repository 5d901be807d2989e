//! Sessions: log in (leaflet S18, S40), refresh, list, log out.

mod brought;
mod cookie;
mod list;
mod log_in;
mod log_out;
mod refresh;
mod room;
mod signer;

use futures::future::try_join3;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Credentials, Gate, Hashing, SymmetricKey};
use portal::store::{Store, Table};

use cookie::CookieJar;
use signer::Signer;

/// The function `sessions`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    credentials: Credentials,
    signer: Signer,
    refresh_key: SymmetricKey,
    cookies: CookieJar,
}

impl HttpFunction for Function {
    const NAME: &'static str = "sessions";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Evidence])?;
        // Side by side: a cold start waits once.
        let gate = Gate::start(environment, &store);
        let signer = Signer::start(environment);
        let refresh_key = SymmetricKey::load(environment, "REFRESH_KEY_SECRET");
        let (gate, signer, refresh_key) = try_join3(gate, signer, refresh_key).await?;
        let cookies = CookieJar::of_origin(environment.variable("PORTAL_ORIGIN")?);
        let credentials = Credentials::new(&store, &Hashing::default());
        Ok(Self { store, gate, credentials, signer, refresh_key, cookies })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "POST /api/sessions" => self.log_in(call, &mut rng()).await,
            "POST /api/sessions/refresh" => self.refresh(call, &mut rng()).await,
            "GET /api/sessions" => self.list(call).await,
            "DELETE /api/sessions/{id}" => self.log_out(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

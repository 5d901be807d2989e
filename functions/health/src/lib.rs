//! `GET /api/health`: the function answers. No table is read, so it says nothing of the store.

use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use serde_json::json;

/// The function `health`.
#[derive(Clone)]
pub struct Function;

impl HttpFunction for Function {
    const NAME: &'static str = "health";

    async fn start(_environment: &Environment) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn connect(_environment: &Environment) {}

    async fn answer(&self, _call: &Call) -> Result<Answer, Problem> {
        Answer::ok(&json!({"status": "ok"}))
    }
}

//! `$default`: every path and method that no route has.

use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;

/// The function `not-found`.
#[derive(Clone)]
pub struct Function;

impl HttpFunction for Function {
    const NAME: &'static str = "not-found";

    async fn start(_environment: &Environment) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn connect(_environment: &Environment) {}

    async fn answer(&self, _call: &Call) -> Result<Answer, Problem> {
        Err(Problem::NotFound)
    }
}

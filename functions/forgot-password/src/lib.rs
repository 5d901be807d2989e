//! `POST /api/password/forgot`: asks for a reset link (leaflet S41).
//!
//! The request only writes the wish: one write whether the address is known or not, one answer. The
//! function behind the stream looks the address up, and keeps the limit on mails.

use portal::domain::{Email, Id};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::store::{Outbox, Store, Table, Wish};
use serde_json::json;

/// The function `forgot-password`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "forgot-password";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Identity])? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let email = form.text("email", Email::parse);
        let (email,) = form.finish((email,))?;
        self.store.create(&Outbox::new(Id::random(&mut rng()), Wish::Reset { email }, call.now)).await?;
        let message = call.language.choose(
            "Si cette adresse a un espace personnalisé, un e-mail vient de lui être envoyé. Son lien est valable 30 minutes.",
            "If this address has a personal space, a mail is on its way to it. Its link is valid for 30 minutes.",
        );
        Answer::accepted(&json!({"message": message}))
    }
}

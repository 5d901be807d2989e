//! From a function's name to its code. What starts a function, and with which variables, is in the
//! templates; this is the one thing that they cannot say.

use std::collections::BTreeMap;
use std::fmt;

use futures::future::BoxFuture;
use portal::environment::{Environment, StartError};
use portal::lambda::{EventFunction, HttpFunction, Invoke, start_event, start_http};

/// Starts a function.
pub type Starter = for<'a> fn(&'a Environment) -> BoxFuture<'a, Result<Invoke, StartError>>;

/// Functions by name.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Starter>);

impl Registry {
    /// All functions of the portal.
    #[must_use]
    pub fn portal() -> Self {
        Self::default()
            .http::<accept_document::Function>()
            .http::<accounts::Function>()
            .http::<change_email::Function>()
            .http::<claim_manager::Function>()
            .http::<contest_claim::Function>()
            .http::<create_password::Function>()
            .http::<export_ledger::Function>()
            .http::<forgot_password::Function>()
            .http::<health::Function>()
            .http::<home::Function>()
            .http::<manage_users::Function>()
            .http::<not_found::Function>()
            .http::<profile::Function>()
            .http::<public_keys::Function>()
            .http::<query_ledger::Function>()
            .http::<read_document::Function>()
            .http::<request_access::Function>()
            .http::<sessions::Function>()
            .http::<signup::Function>()
            .http::<statement::Function>()
            .event::<expire_users::Function>()
            .event::<import_feed::Function>()
            .event::<mail_feedback::Function>()
            .event::<reconcile::Function>()
            .event::<rotate_keys::Function>()
            .event::<send_mail::Function>()
            .event::<staff::Function>()
            .event::<sweep_outbox::Function>()
            .event::<write_export::Function>()
    }

    /// Adds a function behind routes.
    #[must_use]
    pub fn http<F: HttpFunction>(mut self) -> Self {
        self.0.insert(F::NAME, |environment| Box::pin(start_http::<F>(environment)));
        self
    }

    /// Adds a function that events start.
    #[must_use]
    pub fn event<F: EventFunction>(mut self) -> Self {
        self.0.insert(F::NAME, |environment| Box::pin(start_event::<F>(environment)));
        self
    }

    /// The functions with what starts them.
    pub(crate) fn starters(&self) -> impl Iterator<Item = (&'static str, Starter)> {
        self.0.iter().map(|(name, starter)| (*name, *starter))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

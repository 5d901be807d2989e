//! `query-ledger`: what a member account's ledger holds.
//!
//! A read waits once, but for days of all views: who is calling, whether they may, and what they ask for are fetched
//! beside each other, and judged in the contract's order (401, 404, 403, 422, 409) after. What is read in several items at once
//! may be of two moments: sums are held against what they are of, and read again where they differ.

mod action;
mod action_entries;
mod actions;
mod contributions;
#[doc(hidden)]
pub mod cursor;
mod days;
mod entry;
mod figures;
#[doc(hidden)]
pub mod filter;
mod history;
mod ledger;
mod list;
mod part;
mod remittance;
mod remittances;
mod sort;
mod state;
mod summary;
mod whole;

use futures::future::try_join;
use portal::domain::ViewRule;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, SymmetricKey};
use portal::store::{Store, Table};

/// The function.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    cursor_key: SymmetricKey,
    rule: ViewRule,
}

impl HttpFunction for Function {
    const NAME: &'static str = "query-ledger";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        // Side by side: a cold start waits once.
        let (gate, cursor_key) =
            (Gate::start(environment, &store), SymmetricKey::load(environment, "CURSOR_KEY_SECRET"));
        let (gate, cursor_key) = try_join(gate, cursor_key).await?;
        Ok(Self { gate, cursor_key, store, rule: environment.view_rule()? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts/{number}/summary" => self.summary(call, &mut rng()).await,
            "GET /api/accounts/{number}/actions" => self.actions(call, &mut rng()).await,
            "GET /api/accounts/{number}/actions/{action_id}" => self.action(call, &mut rng()).await,
            "GET /api/accounts/{number}/contributions" => self.contributions(call, &mut rng()).await,
            "GET /api/accounts/{number}/remittances" => self.remittances(call, &mut rng()).await,
            "GET /api/accounts/{number}/remittances/{remittance_number}" => self.remittance(call, &mut rng()).await,
            "GET /api/accounts/{number}/remittance" => self.remittance_by_number(call, &mut rng()).await,
            "GET /api/accounts/{number}/ledger" => self.ledger(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

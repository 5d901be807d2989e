//! Every five minutes: wakes `send-mail` for what it has not sent.
//!
//! A stream keeps its records for 24 hours and gives up on a batch after some retries; the outbox keeps a
//! wish for a week. The sweep puts a new item beside each wish that is five minutes old, and the stream
//! does the rest.

use std::time::Duration;

use portal::environment::{Environment, StartError};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::store::{Outbox, Store, StoreError, Table, Wake};
use serde_json::{Value, json};

/// How long the stream has the first word.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many are woken by one invocation, the oldest first; what is sent then makes room for the next.
const MOST: usize = 5_000;

/// The function `sweep-outbox`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
}

impl EventFunction for Function {
    const NAME: &'static str = "sweep-outbox";
    type Event = Value;
    type Outcome = Value;
    type Error = StoreError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { environment: environment.clone(), store: Store::connect(environment, &[Table::Identity])? })
    }

    async fn handle(&self, _event: Value) -> Result<Value, StoreError> {
        let now = self.environment.clock.now();
        let mut query = Outbox::unsent_before(now - PATIENCE);
        let mut woken = 0;
        while woken < MOST {
            let page = self.store.query_items(&query).await?;
            for item in page.items {
                let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
                if let Some(outbox_id) = pk.and_then(|pk| Outbox::id_of(pk)) {
                    self.store.put(&Wake::new(outbox_id, now)).await?;
                    woken += 1;
                }
            }
            if page.next.is_none() {
                break;
            }
            query = query.after(page.next);
        }
        invocation::tell("woken", woken);
        if woken > 0 {
            invocation::warn("mails were not sent in time");
        }
        Ok(json!({"woken": woken}))
    }
}

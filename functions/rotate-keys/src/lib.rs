//! Once a day: sees to it that there is a key that signs access tokens, and that the next one is
//! published a day before it does.
//!
//! Safe to repeat and to interrupt: a key is published before it enters the ring that signs, and leaves
//! the table only after it left the ring.

use portal::environment::{Environment, StartError, rng};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::security::{KeyRing, read_secret, write_secret};
use portal::store::{PublicKey, Record, Store, StoreError, Table};
use serde_json::{Value, json};

/// The secret that holds the ring.
const RING: &str = "SIGNING_KEYS_SECRET";

/// The function `rotate-keys`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
}

/// Why the keys could not be rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The secret cannot be read or written.
    #[error(transparent)]
    Secret(#[from] StartError),
    /// The table cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret does not hold a ring of keys.
    #[error("the ring of signing keys is not readable")]
    Unreadable,
}

impl EventFunction for Function {
    const NAME: &'static str = "rotate-keys";
    type Event = Value;
    type Outcome = Value;
    type Error = RotationError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        environment.variable(RING)?;
        let store = Store::connect(environment, &[Table::Identity])?;
        Ok(Self { environment: environment.clone(), store })
    }

    async fn handle(&self, _event: Value) -> Result<Value, RotationError> {
        let rotated = self.ring().await?.rotated(self.environment.clock.now(), &mut rng());
        self.publish(&rotated).await?;
        let text = serde_json::to_string(&rotated).map_err(|_| RotationError::Unreadable)?;
        write_secret(&self.environment, RING, text).await?;
        // Another run may have written its ring after this one did: what is in force is what is stored.
        let in_force = self.publish(&self.ring().await?).await?;
        for published in self.store.query_all::<PublicKey>(&PublicKey::all()).await? {
            if !in_force.contains(&published) {
                self.store.delete(&published.key()).await?;
            }
        }
        invocation::tell("keys", in_force.len());
        Ok(json!({"keys": in_force.len()}))
    }
}

impl Function {
    async fn ring(&self) -> Result<KeyRing, RotationError> {
        let text = read_secret(&self.environment, RING).await?;
        KeyRing::parse(&text).map_err(|_| RotationError::Unreadable)
    }

    /// Writes the public halves of a ring to where verifiers read them.
    async fn publish(&self, ring: &KeyRing) -> Result<Vec<PublicKey>, RotationError> {
        let public = ring.keys.iter().map(|key| key.public().ok_or(RotationError::Unreadable));
        let public: Vec<PublicKey> = public.collect::<Result<_, _>>()?;
        for key in &public {
            self.store.put(key).await?;
        }
        Ok(public)
    }
}

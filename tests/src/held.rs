//! A line to DynamoDB on which a transaction of one function is held until something else has happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use local::{Options, Service};
use tokio::sync::Notify;

use crate::proxy::{self, Answer, Onward, Passing};

/// The line.
#[derive(Clone)]
pub struct Held(Arc<Line>);

struct Line {
    function: &'static str,
    /// Whether the next transaction is held.
    holds: AtomicBool,
    arrived: Notify,
    goes_on: Notify,
}

impl Held {
    /// A line on which everything passes until [`Self::hold`], and options for a portal with it.
    pub async fn of(function: &'static str) -> (Self, Options) {
        let line = Line { function, holds: AtomicBool::new(false), arrived: Notify::new(), goes_on: Notify::new() };
        let held = Self(Arc::new(line));
        let line = held.clone();
        let options = proxy::before(Service::DynamoDb, move |passing, onward| line.clone().pass(passing, onward)).await;
        (held, options)
    }

    /// Holds the function's next transaction.
    pub fn hold(&self) {
        self.0.holds.store(true, Ordering::SeqCst);
    }

    /// Waits until it is there.
    pub async fn arrived(&self) {
        self.0.arrived.notified().await;
    }

    /// Lets it go on.
    pub fn let_go(&self) {
        self.0.goes_on.notify_one();
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        let is_of_function = passing.function == self.0.function && passing.operation == "TransactWriteItems";
        if is_of_function && self.0.holds.swap(false, Ordering::SeqCst) {
            self.0.arrived.notify_one();
            self.0.goes_on.notified().await;
        }
        Ok(onward.forward(&passing).await.map(Body::from))
    }
}

//! A line to DynamoDB on which one call of a function is held until something else has happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::Body;
use local::{Options, Service};
use tokio::sync::Notify;

use crate::proxy::{self, Answer, Onward, Passing};

/// The line.
#[derive(Clone)]
pub struct Held(Arc<Line>);

struct Line {
    function: &'static str,
    operation: &'static str,
    /// What is in the call's body.
    about: &'static str,
    /// Whether the next such call is held.
    holds: AtomicBool,
    seen: AtomicUsize,
    arrived: Notify,
    goes_on: Notify,
}

impl Held {
    /// A line on which everything passes until [`Self::hold`], then all but the function's next transaction; and
    /// options for a portal with it.
    pub fn transaction_of(function: &'static str) -> (Self, Options) {
        Self::of(function, "TransactWriteItems", "")
    }

    /// The same of a function's next query that is about this.
    pub fn query_of(function: &'static str, about: &'static str) -> (Self, Options) {
        Self::of(function, "Query", about)
    }

    fn of(function: &'static str, operation: &'static str, about: &'static str) -> (Self, Options) {
        let (holds, seen) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (arrived, goes_on) = (Notify::new(), Notify::new());
        let held = Self(Arc::new(Line { function, operation, about, holds, seen, arrived, goes_on }));
        let line = held.clone();
        let options = proxy::before(&[Service::DynamoDb], move |passing, onward| line.clone().pass(passing, onward));
        (held, options)
    }

    /// Holds the next such call.
    pub fn hold(&self) {
        self.0.holds.store(true, Ordering::SeqCst);
    }

    /// How many such calls there were.
    pub fn seen(&self) -> usize {
        self.0.seen.load(Ordering::SeqCst)
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
        let is_meant = passing.function == self.0.function
            && passing.operation == self.0.operation
            && String::from_utf8_lossy(&passing.body).contains(self.0.about);
        if is_meant {
            self.0.seen.fetch_add(1, Ordering::SeqCst);
        }
        if is_meant && self.0.holds.swap(false, Ordering::SeqCst) {
            self.0.arrived.notify_one();
            self.0.goes_on.notified().await;
        }
        Ok(onward.forward(&passing).await.map(Body::from))
    }
}

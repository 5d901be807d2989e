//! A line to DynamoDB on which one call of a function is held while something else happens.
//!
//! What two requests do to each other depends on which call of the one the other comes before. So a race is tried
//! by holding each call of the one in turn while the other runs whole: each time the same orders, but for calls that a
//! function makes side by side.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use local::{Options, Service};
use tokio::sync::{Notify, watch};

use crate::proxy::{self, Answer, Onward, Passing};
use crate::tap::WARMING;

/// The line.
#[derive(Clone)]
pub struct Held(Arc<Line>);

struct Line {
    turn: Mutex<Option<Turn>>,
    /// Whether what is held may go on.
    open: watch::Sender<bool>,
}

/// Which calls are counted, and which of them is held.
struct Turn {
    calls: Calls,
    passing: usize,
    /// By the SDK's own names for them, which it repeats where an answer takes too long.
    seen: Vec<String>,
    arrived: Arc<Notify>,
}

/// The header in which the SDK names a call, the same in each attempt.
const NAME: &str = "amz-sdk-invocation-id";

/// Which of two is held, and behind how many of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The first is.
    First(usize),
    /// The second is.
    Second(usize),
}

/// `first-3`, for a message or an address.
impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (which, passing) = match self {
            Self::First(passing) => ("first", passing),
            Self::Second(passing) => ("second", passing),
        };
        write!(formatter, "{which}-{passing}")
    }
}

/// All orders in which two things can meet: each call of the first is held in turn while the second runs whole, then each
/// of the second while the first does.
///
/// ```text
/// let mut orders = held.orders();
/// while let Some(order) = orders.another() {
///     let Some((one, other)) = orders.meet(one, other).await else { continue };
/// }
/// ```
pub struct Orders<'a> {
    held: &'a Held,
    order: Option<Order>,
    /// Whether the two met in this order: the one that is held makes further calls.
    met: bool,
}

impl Orders<'_> {
    /// The next order.
    pub fn another(&mut self) -> Option<Order> {
        let order = match self.order {
            None => Order::First(0),
            Some(Order::First(passing)) if self.met => Order::First(passing + 1),
            Some(Order::First(_)) => Order::Second(0),
            Some(Order::Second(passing)) if self.met => Order::Second(passing + 1),
            Some(Order::Second(_)) => return None,
        };
        (self.order, self.met) = (Some(order), false);
        Some(order)
    }

    /// Does two things in this order. `None` where the one that is held makes fewer calls: it was done alone, and the
    /// other was not.
    ///
    /// # Panics
    /// Where it makes no such call at all.
    pub async fn meet<A, B>(
        &mut self,
        (calls_of_first, first): (Calls, impl Future<Output = A>),
        (calls_of_second, second): (Calls, impl Future<Output = B>),
    ) -> Option<(A, B)> {
        let (met, passing) = match self.order.expect("asked for another order first") {
            Order::First(passing) => {
                let (first, second) = self.held.behind(passing, calls_of_first, first, second).await;
                (second.map(|second| (first, second)), passing)
            }
            Order::Second(passing) => {
                let (second, first) = self.held.behind(passing, calls_of_second, second, first).await;
                (first.map(|first| (first, second)), passing)
            }
        };
        self.met = met.is_some();
        assert!(self.met || passing > 0, "the one that is held makes such a call");
        met
    }
}

/// Some calls of a function.
#[derive(Clone, Copy)]
pub struct Calls {
    function: &'static str,
    /// `None` is any.
    operation: Option<&'static str>,
    /// What is in a call's body.
    about: &'static str,
}

impl Calls {
    /// All of a function.
    #[must_use]
    pub const fn of(function: &'static str) -> Self {
        Self { function, operation: None, about: "" }
    }

    /// Its transactions.
    #[must_use]
    pub const fn transactions_of(function: &'static str) -> Self {
        Self { function, operation: Some("TransactWriteItems"), about: "" }
    }

    /// Its queries that are about this.
    #[must_use]
    pub const fn queries_of(function: &'static str, about: &'static str) -> Self {
        Self { function, operation: Some("Query"), about }
    }

    fn mean(&self, passing: &Passing) -> bool {
        passing.function == self.function
            && !is_of_a_start(passing)
            && self.operation.is_none_or(|operation| passing.operation == operation)
            && String::from_utf8_lossy(&passing.body).contains(self.about)
    }
}

/// Whether a function asks for this when it starts, before its first request.
fn is_of_a_start(passing: &Passing) -> bool {
    let reads_keys = || String::from_utf8_lossy(&passing.body).contains("SIGNING-KEYS");
    passing.operation == WARMING || passing.operation == "Query" && reads_keys()
}

impl Held {
    /// A line on which everything passes but what [`Self::between`] holds, and options for a portal with it.
    pub fn on_dynamodb() -> (Self, Options) {
        let held = Self(Arc::new(Line { turn: Mutex::default(), open: watch::Sender::new(true) }));
        let line = held.clone();
        let options = proxy::before(&[Service::DynamoDb], move |passing, onward| line.clone().pass(passing, onward));
        (held, options)
    }

    /// Does one thing, and another while the one's first such call is held.
    ///
    /// # Panics
    /// Where the one has no such call, and so what it gave depends on nothing that the other did.
    pub async fn between<A, B>(
        &self,
        calls: Calls,
        one: impl Future<Output = A>,
        other: impl Future<Output = B>,
    ) -> (A, B) {
        let (one, other) = self.behind(0, calls, one, other).await;
        (one, other.expect("the one made such a call"))
    }

    /// All orders in which two things can meet on this line.
    pub fn orders(&self) -> Orders<'_> {
        Orders { held: self, order: None, met: false }
    }

    /// Does one thing, and another while the one's call behind so many others is held; not at all where the one makes fewer
    /// calls.
    pub async fn behind<A, B>(
        &self,
        passing: usize,
        calls: Calls,
        one: impl Future<Output = A>,
        other: impl Future<Output = B>,
    ) -> (A, Option<B>) {
        let arrived = Arc::new(Notify::new());
        let turn = Turn { calls, passing, seen: Vec::new(), arrived: Arc::clone(&arrived) };
        *self.0.turn.lock().unwrap() = Some(turn);
        self.0.open.send_replace(false);
        let mut one = pin!(one);
        tokio::select! {
            biased;
            one = &mut one => {
                *self.0.turn.lock().unwrap() = None;
                self.0.open.send_replace(true);
                return (one, None);
            }
            () = arrived.notified() => {}
        }
        let other = other.await;
        self.0.open.send_replace(true);
        (one.await, Some(other))
    }

    /// How many of the calls that were last meant there were.
    pub fn seen(&self) -> usize {
        self.0.turn.lock().unwrap().as_ref().map_or(0, |turn| turn.seen.len())
    }

    /// Whether this call is the one to hold, or another attempt at it.
    fn holds(&self, passing: &Passing) -> bool {
        let mut turn = self.0.turn.lock().unwrap();
        let Some(turn) = turn.as_mut() else { return false };
        if !turn.calls.mean(passing) {
            return false;
        }
        let name = passing.header(NAME);
        if !turn.seen.iter().any(|seen| seen == name) {
            turn.seen.push(name.to_owned());
            if turn.seen.len() == turn.passing + 1 {
                turn.arrived.notify_one();
            }
        }
        turn.seen.get(turn.passing).is_some_and(|held| held == name)
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        if self.holds(&passing) {
            // The sender lives as long as this line.
            self.0.open.subscribe().wait_for(|open| *open).await.expect("the line is there");
        }
        Ok(onward.forward(&passing).await.map(Body::from))
    }
}

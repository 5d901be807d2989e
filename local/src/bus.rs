//! The event bus, as far as SES uses it: an event starts the function whose rule it matches.
//!
//! As EventBridge does it, at best: an event that its function fails three times is a dead letter, and those that a
//! kill finds on their way are gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::dead_letters::DeadLetters;
use crate::deployment::Rule;
use crate::functions::Functions;
use crate::retry::pause_after;
use crate::server::Stop;

/// What Lambda tries of an event that nobody waits for: once, and twice more.
const MOST_ATTEMPTS: u32 = 3;

/// Takes events.
#[derive(Debug, Clone)]
pub(crate) struct Bus {
    events: mpsc::UnboundedSender<Value>,
    hushed: Arc<AtomicBool>,
    /// Events that wait or are being handled.
    open: Arc<watch::Sender<usize>>,
}

/// What hands them over.
#[derive(Debug)]
pub(crate) struct Deliveries {
    events: mpsc::UnboundedReceiver<Value>,
    open: Arc<watch::Sender<usize>>,
}

impl Bus {
    pub(crate) fn new() -> (Self, Deliveries) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let open = Arc::new(watch::Sender::new(0));
        (
            Self { events: sender, hushed: Arc::default(), open: Arc::clone(&open) },
            Deliveries { events: receiver, open },
        )
    }

    pub(crate) fn publish(&self, event: Value) {
        if self.hushed.load(Ordering::Relaxed) {
            return;
        }
        self.open.send_modify(|open| *open += 1);
        if self.events.send(event).is_err() {
            // The portal is stopping.
            self.open.send_modify(|open| *open = open.saturating_sub(1));
        }
    }

    /// Takes no event any more: as they come at best, none may.
    pub(crate) fn hush(&self) {
        self.hushed.store(true, Ordering::Relaxed);
    }

    /// Waits until every event was handled, or is a dead letter.
    pub(crate) async fn idle(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    pub(crate) fn is_idle(&self) -> bool {
        *self.open.borrow() == 0
    }
}

impl Deliveries {
    /// Hands events over, one after the other, until the signal.
    pub(crate) async fn run(
        mut self,
        rules: Vec<Rule>,
        functions: Functions,
        dead_letters: Arc<DeadLetters>,
        first_pause: Duration,
        stop: Stop,
    ) {
        let ended = stop.wait();
        tokio::pin!(ended);
        loop {
            let event = tokio::select! {
                () = &mut ended => break,
                event = self.events.recv() => event,
            };
            let Some(event) = event else { break };
            for rule in rules.iter().filter(|rule| rule.pattern.matches(&event)) {
                hand_over(&rule.function, &event, &functions, &dead_letters, first_pause).await;
            }
            self.open.send_modify(|open| *open = open.saturating_sub(1));
        }
        // Whoever waits for what is lost must not wait for good.
        self.events.close();
        self.open.send_modify(|open| *open = 0);
    }
}

async fn hand_over(function: &str, event: &Value, functions: &Functions, letters: &DeadLetters, first_pause: Duration) {
    for attempt in 1..=MOST_ATTEMPTS {
        match functions.invoke(function, event.clone()).await {
            Ok(_) => return,
            Err(error) if attempt == MOST_ATTEMPTS => {
                let id = event["id"].as_str().unwrap_or_default();
                letters.add_message(function, "the bus", id, &error.to_string());
            }
            Err(_) => tokio::time::sleep(pause_after(attempt, first_pause)).await,
        }
    }
}

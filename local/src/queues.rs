//! Queues: objects that arrive in a bucket become messages, and the event source mapping hands these to a
//! function, several at a time.
//!
//! As SQS and Lambda do it: a message that is not dealt with comes again, and after so many times goes to the
//! queue for dead letters, from where it can be sent once more. Messages are in memory only: each stands for
//! an object that is there as long as there is something to do, so a start looks for these.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portal::clock::Clock;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::dead_letters::DeadLetters;
use crate::deployment::{Deployment, QueueMapping};
use crate::feed::object_created;
use crate::functions::Functions;
use crate::ids;
use crate::names::{ACCOUNT, REGION};
use crate::pattern::Pattern;
use crate::retry::pause_after;
use crate::server::Stop;

/// All queues of the templates.
#[derive(Debug, Clone)]
pub(crate) struct Queues(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Vec<(Pattern, String)>,
    queues: BTreeMap<String, Queue>,
    clock: Clock,
}

#[derive(Debug)]
struct Queue {
    messages: Mutex<VecDeque<Message>>,
    dead: Mutex<Vec<Message>>,
    arrived: Notify,
    /// Messages that wait or are being dealt with.
    open: watch::Sender<usize>,
    /// Whether anybody reads it.
    is_read: bool,
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    received: u32,
}

impl Queues {
    pub(crate) fn new(deployment: &Deployment, clock: Clock) -> Self {
        let rules = deployment.queue_rules.iter().map(|rule| (rule.pattern.clone(), rule.queue.clone())).collect();
        let read = |name: &str| deployment.queue_readers.iter().any(|m| m.queue == name && m.at_once > 0);
        let queue = |name: &String| (name.clone(), Queue::new(read(name)));
        Self(Arc::new(Inner { rules, queues: deployment.queues.keys().map(queue).collect(), clock }))
    }

    /// An object was written to a bucket.
    pub(crate) fn object_arrived(&self, bucket: &str, key: &str) {
        let event = object_created(bucket, key, self.0.clock.now());
        for (_, queue) in self.0.rules.iter().filter(|(pattern, _)| pattern.matches(&event)) {
            if let Some(queue) = self.0.queues.get(queue) {
                queue.send(Message { id: ids::hex(), body: event.to_string(), received: 0 });
            }
        }
    }

    /// Whether objects can become messages at all.
    pub(crate) fn are_fed(&self) -> bool {
        !self.0.rules.is_empty()
    }

    /// Waits until every message of a queue that is read is dealt with, or is a dead letter.
    pub(crate) async fn idle(&self) {
        for queue in self.0.queues.values().filter(|queue| queue.is_read) {
            // The sender is here, so it cannot be gone.
            let _ = queue.open.subscribe().wait_for(|open| *open == 0).await;
        }
    }

    /// Whether nothing waits or is being dealt with.
    pub(crate) fn are_idle(&self) -> bool {
        self.0.queues.values().filter(|queue| queue.is_read).all(|queue| *queue.open.borrow() == 0)
    }

    /// Sends all dead letters once more; says how many there were.
    pub(crate) fn redrive(&self) -> usize {
        let mut count = 0;
        for queue in self.0.queues.values() {
            for message in std::mem::take(&mut *lock(&queue.dead)) {
                count += 1;
                queue.send(Message { received: 0, ..message });
            }
        }
        count
    }

    /// Hands a queue's messages to its function, one at a time, until the signal.
    pub(crate) async fn read(
        self,
        mapping: QueueMapping,
        functions: Functions,
        dead_letters: Arc<DeadLetters>,
        first_pause: Duration,
        stop: Stop,
    ) {
        let Some(queue) = self.0.queues.get(&mapping.queue) else { return };
        let ended = stop.clone().wait();
        tokio::pin!(ended);
        loop {
            let mut message = tokio::select! {
                () = &mut ended => return,
                message = queue.next() => message,
            };
            message.received += 1;
            let answer = functions.invoke(&mapping.function, records(&mapping.queue, &message)).await;
            let reason = match answer {
                Err(error) => Some(error.to_string()),
                Ok(answer) if mapping.reports_item_failures && fails(&answer) => {
                    Some("the function names it as failed".to_owned())
                }
                Ok(_) => None,
            };
            match reason {
                None => queue.close(),
                Some(_) if message.received < mapping.most_receives => {
                    let pause = pause_after(message.received, first_pause);
                    tokio::select! {
                        () = &mut ended => return,
                        () = tokio::time::sleep(pause) => queue.put_back(message),
                    }
                }
                Some(reason) => {
                    dead_letters.add_message(&mapping.function, &mapping.queue, &message.id, &reason);
                    lock(&queue.dead).push(message);
                    queue.close();
                }
            }
        }
    }
}

impl Queue {
    fn new(is_read: bool) -> Self {
        let (messages, dead) = (Mutex::default(), Mutex::default());
        Self { messages, dead, arrived: Notify::new(), open: watch::Sender::new(0), is_read }
    }

    fn send(&self, message: Message) {
        self.open.send_modify(|open| *open += 1);
        self.put_back(message);
    }

    fn put_back(&self, message: Message) {
        lock(&self.messages).push_back(message);
        self.arrived.notify_one();
    }

    async fn next(&self) -> Message {
        loop {
            let message = lock(&self.messages).pop_front();
            if let Some(message) = message {
                // One of several readers was woken; there may be something for another.
                self.arrived.notify_one();
                return message;
            }
            self.arrived.notified().await;
        }
    }

    fn close(&self) {
        self.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fails(answer: &Value) -> bool {
    answer["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty())
}

/// A message as Lambda hands it to a function.
fn records(queue: &str, message: &Message) -> Value {
    json!({"Records": [{
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": message.received.to_string()},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
        "awsRegion": REGION,
    }]})
}

#[cfg(test)]
#[path = "queues_tests.rs"]
mod tests;

//! A tap on the line between the functions and DynamoDB, or all that they call: counts and delays calls, and says
//! whose they are, what they need and what capacity they take.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use local::{Options, Service};
use portal::clock::Stopwatch;
use serde_json::Value;

use crate::proxy::{self, Answer, Onward, Passing};
use crate::uses::{self, Use};

/// Held back on each answer while it is measured, so that calls made side by side are seen side by side.
const LATENCY: Duration = Duration::from_millis(40);

/// What opens a function's connection while it starts, and is asked for by nothing else.
pub(crate) const WARMING: &str = "DescribeEndpoints";

/// What can be asked what it takes.
const OPERATIONS_WITH_CAPACITY: [&str; 10] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// One call that went by.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function that made it.
    pub function: String,
    /// The operation, where the service names it in a header.
    pub operation: String,
    /// What a policy has to allow for it.
    pub uses: BTreeSet<Use>,
    /// The tables in which it would replace an item that is there.
    pub replaces: BTreeSet<String>,
    /// The capacity that it took in all tables and indexes, as the engine counts it, in units: of reading for
    /// what reads, of writing for what writes. Zero where it was refused.
    pub capacity: f64,
    /// The part of it that indexes took.
    pub capacity_of_indexes: f64,
    /// When it was sent.
    pub sent: Duration,
    /// When it was answered.
    pub answered: Duration,
}

/// What went by.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The calls in the order of their sending.
    pub calls: Vec<Call>,
}

impl Observed {
    /// How many calls there were.
    pub fn all(&self) -> usize {
        self.calls.len()
    }

    /// How often one waited for DynamoDB in a row: the longest chain of calls of which each was sent
    /// after the one before was answered.
    pub fn waits(&self) -> usize {
        let mut calls = self.calls.clone();
        calls.sort_by_key(|call| call.answered);
        let (mut waits, mut free_from) = (0, Duration::ZERO);
        for call in calls {
            if call.sent >= free_from {
                waits += 1;
                free_from = call.answered;
            }
        }
        waits
    }

    /// The capacity that all calls of these operations took.
    pub fn capacity(&self, operations: &[&str]) -> f64 {
        self.calls.iter().filter(|call| operations.contains(&call.operation.as_str())).map(|call| call.capacity).sum()
    }

    /// What went by of one function.
    #[must_use]
    pub fn of(&self, function: &str) -> Self {
        Self { calls: self.calls.iter().filter(|call| call.function == function).cloned().collect() }
    }
}

/// A tap on DynamoDB.
#[derive(Clone)]
pub struct Tap(Arc<Line>);

struct Line {
    observed: Mutex<Observed>,
    /// The functions that opened their connection, in this order.
    warmed: Mutex<Vec<String>>,
    slow: AtomicBool,
    stopwatch: Stopwatch,
}

impl Tap {
    /// A tap on DynamoDB, and options for a portal with it.
    pub fn on_dynamodb() -> (Self, Options) {
        Self::on(&[Service::DynamoDb])
    }

    /// A tap on every service that functions call, and options for a portal with it.
    pub fn on_all() -> (Self, Options) {
        Self::on(&[Service::DynamoDb, Service::Ses, Service::S3, Service::SecretsManager])
    }

    fn on(services: &'static [Service]) -> (Self, Options) {
        let line = Arc::new(Line {
            observed: Mutex::default(),
            warmed: Mutex::default(),
            slow: AtomicBool::new(false),
            stopwatch: Stopwatch::start(),
        });
        let tap = Self(Arc::clone(&line));
        let options = proxy::before(services, move |passing, onward| watch(Arc::clone(&line), passing, onward));
        (tap, options)
    }

    /// What went by while `act` ran, with each answer held back.
    pub async fn during<T>(&self, act: impl Future<Output = T>) -> (T, Observed) {
        self.take();
        self.0.slow.store(true, Ordering::Relaxed);
        let result = act.await;
        self.0.slow.store(false, Ordering::Relaxed);
        (result, self.take())
    }

    /// The functions that opened their connection while they started, each time. It is no call of a request, and
    /// no policy allows it, so it is not among what went by.
    pub fn warmed(&self) -> Vec<String> {
        self.0.warmed.lock().unwrap().clone()
    }

    /// What went by since it was asked last.
    pub fn take(&self) -> Observed {
        std::mem::take(&mut *self.0.observed.lock().unwrap())
    }
}

async fn watch(line: Arc<Line>, mut passing: Passing, onward: Onward) -> Answer {
    let sent = line.stopwatch.elapsed();
    if passing.operation == WARMING {
        line.warmed.lock().unwrap().push(passing.function.clone());
        return Ok(onward.forward(&passing).await.map(Body::from));
    }
    let mut replaces = BTreeSet::new();
    if passing.service == Service::DynamoDb {
        let mut request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
        replaces = replaced(&passing.operation, &request);
        if OPERATIONS_WITH_CAPACITY.contains(&passing.operation.as_str()) {
            request["ReturnConsumedCapacity"] = "INDEXES".into();
            passing.body = request.to_string().into();
        }
    }
    let response = onward.forward(&passing).await;
    if line.slow.load(Ordering::Relaxed) {
        tokio::time::sleep(LATENCY).await;
    }
    let uses = uses::of(&passing, response.status());
    let (capacity, capacity_of_indexes) = capacity(response.body());
    let Passing { function, operation, .. } = passing;
    let call = Call {
        function,
        operation,
        uses,
        replaces,
        capacity,
        capacity_of_indexes,
        sent,
        answered: line.stopwatch.elapsed(),
    };
    line.observed.lock().unwrap().calls.push(call);
    Ok(response.map(Body::from))
}

/// What an answer says of the capacity that was taken, of one table or of each: all, and for indexes.
fn capacity(answer: &[u8]) -> (f64, f64) {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
    let units = |of: &Value| of["CapacityUnits"].as_f64().unwrap_or_default();
    let all: f64 = tables.iter().map(units).sum();
    let tables_alone: f64 = tables.iter().map(|table| units(&table["Table"])).sum();
    (all, all - tables_alone)
}

/// The tables in which a request puts items without the condition that none is there.
fn replaced(operation: &str, request: &Value) -> BTreeSet<String> {
    let in_transaction = request["TransactItems"].as_array().into_iter().flatten().map(|part| &part["Put"]);
    let alone = (operation == "PutItem").then_some(request);
    let puts = in_transaction.chain(alone).filter(|put| put.is_object());
    let replacing = puts.filter(|put| put["ConditionExpression"] != "attribute_not_exists(pk)");
    replacing.map(|put| put["TableName"].as_str().expect("a table").to_owned()).collect()
}

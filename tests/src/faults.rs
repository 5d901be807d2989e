//! What DynamoDB, and the way to it, do on a bad day: a proxy that lets one chosen call of a function fail.
//!
//! A call is all that the SDK sends for it: a fault that strikes three times strikes its three attempts. A
//! transaction that is sent anew after a conflict is the same call too.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use local::{Options, Service};
use serde_json::{Value, json};

use crate::proxy::{self, Answer, Onward, Passing};

/// Longer than an attempt waits for its answer.
const SILENCE: Duration = Duration::from_secs(3);

/// Whether a call that fails has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It fails before.
    None,
    /// It fails after.
    Done,
}

/// What a call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `ThrottlingException`.
    Throttled,
    /// `ProvisionedThroughputExceededException`.
    NoCapacity,
    /// Throttled inside of a transaction: it is cancelled for `ThrottlingError`.
    Cancelled,
    /// Another transaction is at one of its items.
    Conflict,
    /// `TransactionInProgressException`.
    InProgress,
    /// 500 `InternalServerError`.
    Internal(Effect),
    /// A 503 that is not DynamoDB's own, in HTML.
    Unavailable,
    /// A batch of which nothing is read.
    Unprocessed,
    /// A batch of which the first key alone is read, as of one whose partition has more than a megabyte.
    OneOfBatch,
    /// No answer in time.
    Silence(Effect),
    /// The connection ends without an answer.
    HangUp(Effect),
    /// The connection ends in the middle of the answer.
    CutOff,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The function.
    pub function: String,
    /// The DynamoDB operation.
    pub operation: String,
    /// Which of its calls with this operation, from 0 on.
    pub nth: usize,
}

/// A line to DynamoDB on which one can have a call fail.
#[derive(Clone)]
pub struct Faults(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    /// The calls since it was asked last, each once: its place, and the SDK's name for it.
    calls: Vec<(Place, String)>,
    ahead: Option<Ahead>,
    /// How long each call takes besides.
    slow: Duration,
}

/// What is yet to happen.
struct Ahead {
    place: Place,
    fault: Fault,
    /// How many requests it strikes.
    left: usize,
    struck: usize,
    /// The request of the call, once it came.
    request: Option<Value>,
}

impl Faults {
    /// A line that works until [`Self::strike`], and options for a portal with it.
    pub fn on_dynamodb() -> (Self, Options) {
        let faults = Self(Arc::default());
        let line = faults.clone();
        let options = proxy::before(&[Service::DynamoDb], move |passing, onward| line.clone().pass(passing, onward));
        (faults, options)
    }

    /// Has so many requests of a call meet a fault. Calls are counted from now on.
    pub fn strike(&self, place: &Place, fault: Fault, times: usize) {
        let mut line = self.0.lock().unwrap();
        line.calls.clear();
        line.ahead = Some(Ahead { place: place.clone(), fault, left: times, struck: 0, request: None });
    }

    /// Ends what [`Self::strike`] began, and says how many requests it struck.
    pub fn heal(&self) -> usize {
        self.0.lock().unwrap().ahead.take().map_or(0, |ahead| ahead.struck)
    }

    /// From now on each call takes so much longer.
    pub fn slow_down(&self, by: Duration) {
        self.0.lock().unwrap().slow = by;
    }

    /// The calls that were made since it was asked last.
    pub fn take_calls(&self) -> BTreeSet<Place> {
        std::mem::take(&mut self.0.lock().unwrap().calls).into_iter().map(|(place, _)| place).collect()
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        let (fault, slow) = {
            let mut line = self.0.lock().unwrap();
            (line.fault_of(&passing), line.slow)
        };
        tokio::time::sleep(slow).await;
        match fault {
            Some(fault) => fault.befall(&passing, &onward).await,
            None => Ok(onward.forward(&passing).await.map(Body::from)),
        }
    }
}

impl Line {
    fn fault_of(&mut self, passing: &Passing) -> Option<Fault> {
        let place = self.place_of(passing);
        let ahead = self.ahead.as_mut().filter(|ahead| ahead.left > 0)?;
        let mut request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
        // Of a transaction that is sent anew it is all that differs.
        request.as_object_mut().and_then(|request| request.remove("ClientRequestToken"));
        let is_it = match &ahead.request {
            // What is left of a batch is another request.
            Some(_) if ahead.fault == Fault::OneOfBatch => {
                (&ahead.place.function, &ahead.place.operation) == (&place.function, &place.operation)
            }
            Some(known) => *known == request,
            None => ahead.place == place,
        };
        if !is_it {
            return None;
        }
        ahead.request = Some(request);
        ahead.left -= 1;
        ahead.struck += 1;
        Some(ahead.fault)
    }

    /// Which call a request belongs to; attempts of one call share the SDK's name for it.
    fn place_of(&mut self, passing: &Passing) -> Place {
        let name = passing.header("amz-sdk-invocation-id");
        if let Some((place, _)) = self.calls.iter().find(|(_, known)| known == name) {
            return place.clone();
        }
        let (function, operation) = (passing.function.clone(), passing.operation.clone());
        let same = |place: &&(Place, String)| place.0.function == function && place.0.operation == operation;
        let nth = self.calls.iter().filter(same).count();
        let place = Place { function, operation, nth };
        self.calls.push((place.clone(), name.to_owned()));
        place
    }
}

impl Fault {
    async fn befall(self, passing: &Passing, onward: &Onward) -> Answer {
        if let Self::Internal(Effect::Done) | Self::Silence(Effect::Done) | Self::HangUp(Effect::Done) = self {
            onward.forward(passing).await;
        }
        let is_transaction = passing.operation == "TransactWriteItems";
        match self {
            Self::Throttled => Ok(refusal(400, "ThrottlingException", json!({}))),
            Self::NoCapacity => Ok(refusal(400, "ProvisionedThroughputExceededException", json!({}))),
            Self::Cancelled => Ok(cancellation(passing, "ThrottlingError")),
            Self::Conflict if is_transaction => Ok(cancellation(passing, "TransactionConflict")),
            Self::Conflict => Ok(refusal(400, "TransactionConflictException", json!({}))),
            Self::InProgress => Ok(refusal(400, "TransactionInProgressException", json!({}))),
            Self::Internal(_) => Ok(refusal(500, "InternalServerError", json!({}))),
            Self::Unavailable => {
                let html = [(header::CONTENT_TYPE, "text/html")];
                Ok((StatusCode::SERVICE_UNAVAILABLE, html, "<h1>503 Service Unavailable</h1>").into_response())
            }
            Self::Unprocessed => {
                let request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
                Ok(answer(200, &json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]})))
            }
            Self::OneOfBatch => {
                let read = onward.forward(&first_of_batch(passing)).await;
                let mut body: Value = serde_json::from_slice(read.body()).expect("an answer in JSON");
                body["UnprocessedKeys"] = rest_of_batch(passing);
                Ok(answer(read.status().as_u16(), &body))
            }
            Self::Silence(_) => {
                tokio::time::sleep(SILENCE).await;
                Err(hang_up())
            }
            Self::HangUp(_) => Err(hang_up()),
            Self::CutOff => {
                // Its length is that of the whole answer.
                let whole = onward.forward(passing).await;
                Ok(whole.map(|body| {
                    let half = body.slice(..body.len() / 2);
                    Body::from_stream(stream::iter([Ok(half), Err(hang_up())]))
                }))
            }
        }
    }
}

/// The tables of a batch, and the keys that are asked for in each.
fn batch(passing: &Passing) -> Value {
    let mut request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
    request["RequestItems"].take()
}

/// The request for the first key alone.
fn first_of_batch(passing: &Passing) -> Passing {
    let mut tables = batch(passing);
    let tables = tables.as_object_mut().expect("tables");
    let (name, mut wanted) =
        tables.iter().next().map(|(name, wanted)| (name.clone(), wanted.clone())).expect("a table");
    wanted["Keys"].as_array_mut().expect("keys").truncate(1);
    let mut request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
    request["RequestItems"] = json!({name: wanted});
    passing.with_body(request.to_string())
}

/// All keys but the first.
fn rest_of_batch(passing: &Passing) -> Value {
    let mut tables = batch(passing);
    let all = tables.as_object_mut().expect("tables");
    let (name, wanted) = all.iter_mut().next().expect("a table");
    let (name, keys) = (name.clone(), wanted["Keys"].as_array_mut().expect("keys"));
    keys.remove(0);
    if keys.is_empty() {
        all.remove(&name);
    }
    tables
}

fn hang_up() -> std::io::Error {
    std::io::Error::other("the line is cut")
}

/// What DynamoDB answers to a transaction of which the first item is in the way.
fn cancellation(passing: &Passing, code: &str) -> Response {
    let request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
    let items = request["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); items];
    reasons[0] = json!({"Code": code, "Message": "in the way"});
    refusal(400, "TransactionCanceledException", json!({"CancellationReasons": reasons}))
}

fn refusal(status: u16, code: &str, mut body: Value) -> Response {
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
    body["message"] = json!("a bad day");
    answer(status, &body)
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let json = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, json, body.to_string()).into_response()
}

//! A line to DynamoDB on which a transaction may be seen by half: chosen items are answered as they were before it.
//!
//! DynamoDB's guide calls `Query`, and a `BatchGetItem` as a whole, read-committed against transactions: what is read
//! while one is committed has some of its items as before and others as after. The embedded engine never shows that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http::response::Parts;
use local::{Options, Service};
use serde_json::{Value, json};

use crate::proxy::{self, Answer, Onward, Passing};

/// A line on which one function's reads can be torn.
#[derive(Clone)]
pub struct Torn(Arc<Mutex<Line>>);

struct Line {
    function: &'static str,
    /// Items as they were read until something was held back, by index and sort key.
    known: HashMap<(String, String), Value>,
    is_known: bool,
    held: Vec<Held>,
}

/// An item that is held back.
struct Held {
    /// Its sort key; with `*` at the end, how it begins.
    sk: String,
    /// In how many answers yet.
    left: usize,
    struck: usize,
}

impl Torn {
    /// A line of this function that shows what there is until [`Self::hold_back`], and options for a portal with it.
    pub fn on_reads_of(function: &'static str) -> (Self, Options) {
        let torn =
            Self(Arc::new(Mutex::new(Line { function, known: HashMap::new(), is_known: false, held: Vec::new() })));
        let line = torn.clone();
        let options = proxy::before(&[Service::DynamoDb], move |passing, onward| line.clone().pass(passing, onward));
        (torn, options)
    }

    /// Has so many answers show the item with this sort key (or, with `*` at the end, those that begin like this) as it
    /// was when it was read last before the first was held back; what was not read by then is left out.
    pub fn hold_back(&self, sk: &str, answers: usize) {
        let mut line = self.0.lock().unwrap();
        line.is_known = true;
        line.held.push(Held { sk: sk.to_owned(), left: answers, struck: 0 });
    }

    /// Shows everything again, and says how many answers lacked something.
    pub fn release(&self) -> usize {
        self.0.lock().unwrap().held.drain(..).map(|held| held.struck).sum()
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        let answer = onward.forward(&passing).await;
        let reads = ["Query", "BatchGetItem"].contains(&passing.operation.as_str());
        if !reads || passing.function != self.0.lock().unwrap().function || !answer.status().is_success() {
            return Ok(answer.map(Body::from));
        }
        let (parts, body) = answer.into_parts();
        let request: Value = serde_json::from_slice(&passing.body).expect("a body in JSON");
        let index = request["IndexName"].as_str().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(&body).expect("a body in JSON");
        self.0.lock().unwrap().tear(&mut body, index);
        Ok(rewritten(&parts, &body))
    }
}

impl Held {
    fn is_of(&self, sk: &str) -> bool {
        self.sk.strip_suffix('*').map_or(self.sk == sk, |beginning| sk.starts_with(beginning))
    }
}

impl Line {
    fn tear(&mut self, body: &mut Value, index: &str) {
        if let Some(items) = body["Items"].as_array_mut() {
            self.tear_items(items, index);
            let count = json!(items.len());
            body["Count"] = count;
        }
        for items in body["Responses"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            self.tear_items(items.as_array_mut().expect("items"), index);
        }
    }

    fn tear_items(&mut self, items: &mut Vec<Value>, index: &str) {
        let (known, held, is_known) = (&mut self.known, &mut self.held, self.is_known);
        let mut struck = vec![false; held.len()];
        items.retain_mut(|item| {
            let sk = item["sk"]["S"].as_str().expect("a sort key").to_owned();
            let place = held.iter().position(|held| held.left > 0 && held.is_of(&sk));
            let name = (index.to_owned(), sk);
            let Some(place) = place else {
                if !is_known {
                    known.insert(name, item.clone());
                }
                return true;
            };
            let Some(before) = known.get(&name) else {
                struck[place] = true;
                return false;
            };
            struck[place] |= before != item;
            *item = before.clone();
            true
        });
        for (held, _) in held.iter_mut().zip(struck).filter(|(_, struck)| *struck) {
            held.left -= 1;
            held.struck += 1;
        }
    }
}

fn rewritten(parts: &Parts, body: &Value) -> Response {
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
    let content_type = content_type.unwrap_or(http::HeaderValue::from_static("application/x-amz-json-1.0"));
    (parts.status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response()
}

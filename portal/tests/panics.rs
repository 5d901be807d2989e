//! A defect that panics: the caller gets a problem, the log a line without a word of what was being handled, and the
//! function goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use portal::clock::Clock;
use portal::environment::{Environment, StartError, http_client};
use portal::http::{Answer, Call, Problem};
use portal::lambda::{Context, EventFunction, HttpFunction, log_panics, start_event, start_http};
use portal::log::Log;
use serde_json::{Value, json};

const SECRET: &str = "correct horse battery staple";

/// Panics at whatever asks for it, and says what it was given.
#[derive(Clone)]
struct Fragile;

impl HttpFunction for Fragile {
    const NAME: &'static str = "fragile";

    async fn start(_: &Environment) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        // Beyond an await, as a function's own work is.
        tokio::task::yield_now().await;
        assert!(call.header("x-breaks").is_none(), "{SECRET}");
        Err(Problem::NotFound)
    }
}

impl EventFunction for Fragile {
    const NAME: &'static str = "fragile";
    type Event = Value;
    type Outcome = Value;
    type Error = String;

    async fn start(_: &Environment) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn handle(&self, event: Value) -> Result<Value, String> {
        tokio::task::yield_now().await;
        assert!(event.is_null(), "{SECRET}");
        Ok(event)
    }
}

fn request(headers: Value) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "GET /api/fragile",
        "rawPath": "/api/fragile",
        "headers": headers,
        "requestContext": {"requestId": "r-1", "http": {"method": "GET", "path": "/api/fragile"}},
        "isBase64Encoded": false,
    })
}

/// One test, as a process has one hook.
#[tokio::test]
async fn a_panic_is_a_problem_and_a_line_and_the_function_goes_on() {
    let lines = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&lines);
    let log = Log::to(move |line| kept.lock().unwrap().push(line.clone()));
    let environment =
        Environment::new(BTreeMap::new(), Clock::stopped_at(Timestamp::UNIX_EPOCH), log.clone(), http_client());
    let http = start_http::<Fragile>(&environment).await.expect("a start");
    let event = start_event::<Fragile>(&environment).await.expect("a start");
    log_panics(log, "fragile");
    let answer = http(request(json!({"x-breaks": "yes"})), Context::default()).await.expect("an answer");
    let after = http(request(json!({})), Context::default()).await.expect("an answer");
    let failed = event(json!({}), Context::default()).await.expect_err("a failure");
    let handled = event(Value::Null, Context::default()).await;
    // The hook is the process's, so what the assertions below say is seen again.
    let _ = std::panic::take_hook();

    assert_eq!((&answer["statusCode"], &after["statusCode"]), (&json!(500), &json!(404)));
    let document: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&document["type"], &document["request_id"]), (&json!("/problems/internal-error"), &json!("r-1")));
    assert_eq!(failed.to_string(), "panicked");
    assert!(handled.is_ok());
    let lines = lines.lock().unwrap();
    let said: Vec<_> = lines.iter().map(|line| (line["level"].as_str().unwrap(), line["outcome"].as_str())).collect();
    let wanted = [
        ("error", None),
        ("error", Some("internal-error")),
        ("info", Some("not-found")),
        ("error", None),
        ("error", Some("failed")),
        ("info", Some("ok")),
    ];
    assert_eq!(said, wanted, "{lines:#?}");
    for line in [&lines[0], &lines[3]] {
        assert!(line["context"].as_str().unwrap().starts_with("panicked at portal/tests/panics.rs:"), "{line}");
    }
    for line in lines.iter() {
        assert!(!line.to_string().contains(SECRET), "{line}");
    }
    assert!(!answer.to_string().contains(SECRET) && !failed.to_string().contains(SECRET));
}

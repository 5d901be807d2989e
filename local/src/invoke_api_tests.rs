use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction;
use portal::log::Log;

use super::*;
use crate::registry::Registry;
use crate::testing::call;

const JSON: (&str, &str) = ("content-type", "application/json");
const HERE: (&str, &str) = ("host", "127.0.0.1:8080");

/// Answers with its event, or fails where it is told to.
#[derive(Clone)]
struct Echo;

impl EventFunction for Echo {
    const NAME: &'static str = "echo";
    type Event = Value;
    type Outcome = Value;
    type Error = String;

    async fn start(_: &Environment) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn handle(&self, event: Value) -> Result<Value, String> {
        match event["do"].as_str() {
            Some("fail") => Err("as asked".to_owned()),
            Some("panic") => panic!("as asked"),
            Some("sleep") => std::future::pending().await,
            _ => Ok(event),
        }
    }
}

/// The status, what the headers say of an error, and the body.
async fn ask(name: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, Value) {
    let client = aws_smithy_http_client::Builder::new().build_http();
    let environment = Environment::new(BTreeMap::new(), portal::clock::Clock::system(), Log::to(|_| {}), client);
    let registry = Registry::default().event::<Echo>();
    let functions =
        Functions::new(&registry, BTreeMap::from([("echo".to_owned(), environment)]), &BTreeMap::new()).unwrap();
    // Only what never answers is to run out of time, however slow the machine.
    let timeout = if body.contains("sleep") { Duration::from_millis(10) } else { Duration::from_secs(60) };
    let timeouts = BTreeMap::from([("echo".to_owned(), timeout)]);
    let path = format!("/_local/lambda/2015-03-31/functions/{name}/invocations");
    let (status, body) = call(router(functions, timeouts), "POST", &path, headers, body.to_owned()).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_function_gets_the_event_and_its_answer_comes_back() {
    let event = json!({"a": [1, "é"]});
    assert_eq!(ask("echo", &[HERE, JSON], &event.to_string()).await, (StatusCode::OK, event));
    assert_eq!(ask("echo", &[HERE, JSON], "").await, (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn what_fails_inside_is_an_answer_that_says_so() {
    for (what, message) in
        [("fail", "echo failed: as asked"), ("panic", "echo failed: panicked"), ("sleep", "echo timed out")]
    {
        let (status, body) = ask("echo", &[HERE, JSON], &json!({"do": what}).to_string()).await;
        assert_eq!((status, &body["errorMessage"]), (StatusCode::OK, &json!(message)));
    }
    let failed = failed("x");
    assert_eq!(failed.headers()["x-amz-function-error"], "Unhandled");
    assert!(!answered(&json!({})).headers().contains_key("x-amz-function-error"));
}

#[tokio::test]
async fn what_lambda_would_not_invoke_is_not_invoked() {
    assert_eq!(ask("nobody", &[HERE, JSON], "{}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask("echo", &[HERE, JSON], "{").await.0, StatusCode::BAD_REQUEST);
    let later = ("x-amz-invocation-type", "Event");
    assert_eq!(ask("echo", &[HERE, JSON, later], "{}").await.0, StatusCode::BAD_REQUEST);
    let large = format!("\"{}\"", "x".repeat(LARGEST_PAYLOAD));
    assert_eq!(ask("echo", &[HERE, JSON], &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_page_of_another_site_invokes_nothing() {
    // What a form or a script can send without asking beforehand.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"] {
        assert_eq!(ask("echo", &[HERE, ("content-type", kind)], "{}").await.0, StatusCode::FORBIDDEN, "{kind}");
    }
    assert_eq!(ask("echo", &[HERE], "{}").await.0, StatusCode::FORBIDDEN);
    // A name and a password in an address make a browser send this.
    let basic = ("authorization", "Basic eDp5");
    assert_eq!(ask("echo", &[HERE, basic], "{}").await.0, StatusCode::FORBIDDEN);
    // A site whose name was made to point to loopback is of the same origin as itself.
    for host in ["evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1:8080", ""] {
        assert_eq!(ask("echo", &[("host", host), JSON], "{}").await.0, StatusCode::FORBIDDEN, "{host}");
    }
    assert_eq!(ask("echo", &[JSON], "{}").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn programs_of_this_machine_are_answered() {
    for host in ["127.0.0.1:8080", "127.9.9.9", "localhost:8080", "[::1]:8080"] {
        assert_eq!(ask("echo", &[("host", host), JSON], "{}").await.0, StatusCode::OK, "{host}");
    }
    let utf8 = ("content-type", "application/json; charset=utf-8");
    assert_eq!(ask("echo", &[HERE, utf8], "{}").await.0, StatusCode::OK);
    let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=local/20121015/eu-west-3/lambda/aws4_request");
    assert_eq!(ask("echo", &[HERE, signed], "{}").await.0, StatusCode::OK);
}

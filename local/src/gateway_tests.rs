use std::collections::BTreeMap;

use aws_smithy_http_client::Builder;
use axum::body::to_bytes;
use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction;
use portal::log::Log;
use serde_json::{Value, json};

use super::*;
use crate::registry::Registry;
use crate::routes::RouteKey;

/// Answers with its event, or misbehaves as the path says.
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
        match event["pathParameters"]["what"].as_str() {
            Some("panic") => panic!("as asked"),
            Some("fail") => Err("as asked".to_owned()),
            Some("sleep") => std::future::pending().await,
            Some("large") => Ok(json!({"statusCode": 200, "body": "x".repeat(LARGEST_PAYLOAD)})),
            Some("nonsense") => Ok(json!({"statusCode": "x"})),
            _ => Ok(json!({"statusCode": 200, "body": event.to_string()})),
        }
    }
}

/// Needs what it is not given.
#[derive(Clone)]
struct Unstartable;

impl EventFunction for Unstartable {
    const NAME: &'static str = "unstartable";
    type Event = Value;
    type Outcome = Value;
    type Error = String;

    async fn start(_: &Environment) -> Result<Self, StartError> {
        Err(StartError::MissingVariable("NEEDED"))
    }

    async fn handle(&self, _: Value) -> Result<Value, String> {
        Ok(Value::Null)
    }
}

fn gateway() -> Gateway {
    let environment =
        || Environment::new(BTreeMap::new(), Clock::system(), Log::to(|_| {}), Builder::new().build_http());
    let environments = ["echo", "unstartable"].map(|name| (name.to_owned(), environment()));
    let registry = Registry::default().event::<Echo>().event::<Unstartable>();
    let functions = Functions::new(&registry, BTreeMap::from(environments), &BTreeMap::new()).unwrap();
    let route = |method: &str, path: &str, function: &str| Route {
        key: RouteKey::path(method, path),
        function: function.to_owned(),
    };
    let routes = vec![route("ANY", "/api/{what}", "echo"), route("GET", "/api/unstartable", "unstartable")];
    let timeouts = BTreeMap::from([("echo".to_owned(), Duration::from_secs(10))]);
    Gateway {
        routes,
        timeouts,
        functions,
        clock: Clock::system(),
        pages: Pages::default(),
        edge: Edge::of_project().unwrap(),
    }
}

async fn ask(method: &str, path: &str, body: Body) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    let response = gateway().call(request, "127.0.0.7:1234".parse().unwrap()).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_request_reaches_its_function_and_comes_back() {
    let (status, body) = ask("POST", "/api/x%20y?q=1", Body::from("{}")).await;
    assert_eq!(status, StatusCode::OK);
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["routeKey"], "ANY /api/{what}");
    assert_eq!(event["pathParameters"]["what"], "x y");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.7");
    assert_eq!(event["body"], "{}");
}

#[tokio::test]
async fn what_a_function_does_wrong_is_an_internal_error_and_the_next_call_works() {
    for path in ["/api/panic", "/api/fail", "/api/nonsense", "/api/unstartable"] {
        let (status, body) = ask("GET", path, Body::empty()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(body, r#"{"message":"Internal Server Error"}"#);
    }
}

#[tokio::test]
async fn a_function_has_the_time_that_the_template_gives_it() {
    let mut gateway = gateway();
    gateway.timeouts.insert("echo".to_owned(), Duration::from_millis(50));
    let request = Request::builder().uri("/api/sleep").body(Body::empty()).unwrap();
    let call = gateway.call(request, "127.0.0.1:1".parse().unwrap());
    let response = tokio::time::timeout(Duration::from_secs(20), call).await.expect("less than the HTTP API's limit");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn what_lambda_does_not_take_is_not_handed_over() {
    // Bytes that are no text travel in base64.
    let (status, _) = ask("POST", "/api/x", Body::from(vec![0xff; LARGEST_PAYLOAD - 1_000_000])).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = ask("POST", "/api/large", Body::empty()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_panic_leaves_the_function_usable() {
    let gateway = gateway();
    for (path, status) in [("/api/panic", 500), ("/api/fine", 200)] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = gateway.call(request, "127.0.0.1:1".parse().unwrap()).await;
        assert_eq!(response.status().as_u16(), status);
    }
}

#[tokio::test]
async fn the_gateways_own_answers_are_in_its_own_words() {
    let large = Body::from(vec![b'x'; LARGEST_BODY + 1]);
    let (status, body) = ask("POST", "/api/x", large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body, r#"{"message":"Request Entity Too Large"}"#);
    let (status, body) = ask("GET", "/api/no/where", Body::empty()).await;
    assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#));
}

#[tokio::test]
async fn functions_must_be_known_on_both_sides() {
    let registry = Registry::default().event::<Echo>();
    let error = Functions::new(&registry, BTreeMap::new(), &BTreeMap::new()).unwrap_err();
    assert_eq!(error, "function echo is in the registry but not in template.yaml");
}

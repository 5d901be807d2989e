//! Lambda's Invoke API, so that what no route leads to can be invoked as it is in AWS:
//! `aws lambda invoke --endpoint-url http://localhost:8080/_local/lambda --function-name staff …`.
//!
//! A browser is on loopback too, and anybody's page is in it. Hence two conditions that no page of
//! another site fulfils: the request names loopback as its host (a name that was made to point here does
//! not), and it says that its body is JSON or carries the SDK's signature, for which a browser asks
//! beforehand and is not answered (docs/decisions/0034-staff-publish-documents.md).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use serde_json::{Value, json};

use crate::functions::{Functions, InvokeError};
use crate::gateway::LARGEST_PAYLOAD;

/// Says that the body is not the function's answer, but why there is none.
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");

#[derive(Debug)]
struct Lambda {
    functions: Functions,
    timeouts: BTreeMap<String, Duration>,
}

/// The one route.
pub(crate) fn router(functions: Functions, timeouts: BTreeMap<String, Duration>) -> Router {
    Router::new()
        .route("/_local/lambda/2015-03-31/functions/{name}/invocations", post(invoke))
        .with_state(Arc::new(Lambda { functions, timeouts }))
}

async fn invoke(State(lambda): State<Arc<Lambda>>, Path(name): Path<String>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !comes_from_a_program(&parts.headers) {
        let message = "Send the JSON to loopback, as application/json or signed by an SDK.";
        return refused(StatusCode::FORBIDDEN, "AccessDeniedException", message);
    }
    let asked = parts.headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes);
    if asked.is_some_and(|asked| asked != b"RequestResponse") {
        let message = "The local portal invokes with RequestResponse only.";
        return refused(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message);
    }
    let Ok(body) = to_bytes(body, LARGEST_PAYLOAD).await else {
        let message = "The event is larger than 6 MB.";
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message);
    };
    // Lambda takes an empty body for an empty event.
    let event = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    let Ok(event) = event else {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequestContentException", "The event is not JSON.");
    };
    let call = lambda.functions.invoke(&name, event);
    let ended = match lambda.timeouts.get(&name) {
        Some(limit) => tokio::time::timeout(*limit, call).await,
        None => Ok(call.await),
    };
    match ended {
        Ok(Ok(answer)) => answered(&answer),
        Ok(Err(error @ InvokeError::Unknown(_))) => {
            refused(StatusCode::NOT_FOUND, "ResourceNotFoundException", &error.to_string())
        }
        Ok(Err(error)) => failed(&error.to_string()),
        Err(_) => failed(&format!("{name} timed out")),
    }
}

/// Whether no page of another site can have sent it.
fn comes_from_a_program(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = text(header::HOST).parse::<Authority>();
    let on_loopback = host.is_ok_and(|host| {
        let host = host.host().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    let is_json = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim() == "application/json";
    on_loopback && (is_json || text(header::AUTHORIZATION).starts_with("AWS4-HMAC-SHA256 "))
}

fn answered(answer: &Value) -> Response<Body> {
    respond(StatusCode::OK, answer)
}

/// The function gave no answer. As in Lambda this is a success of the API.
fn failed(message: &str) -> Response<Body> {
    let mut response = respond(StatusCode::OK, &json!({"errorType": "InvocationError", "errorMessage": message}));
    response.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    response
}

/// The API did not invoke anything.
fn refused(status: StatusCode, kind: &'static str, message: &str) -> Response<Body> {
    let mut response = respond(status, &json!({"Type": "User", "Message": message}));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
#[path = "invoke_api_tests.rs"]
mod tests;

//! The HTTP API: takes a request, finds the route, hands the event to the function, answers.
//!
//! What CloudFront keeps for the pages is answered as it would, `/_local/…` is the local portal's own, and
//! everything else goes to the routes of the template.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use futures::StreamExt;
use portal::clock::Clock;
use serde_json::Value;

use crate::edge::Edge;
use crate::functions::Functions;
use crate::ids;
use crate::invoke_api;
use crate::mail_page;
use crate::mailbox::Mailbox;
use crate::pages::Pages;
use crate::payload::{self, Context};
use crate::routes::{self, Route};

/// The HTTP API's own quota for a request's body.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
/// How much of a body that is too large is read and thrown away, so that its sender reads the answer
/// instead of a broken connection.
const MOST_THROWN_AWAY: usize = 64 * 1024 * 1024;
/// The HTTP API's own limit for an integration.
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// Lambda's quota for an event and for an answer. In base64, or with much to escape, a body that the HTTP
/// API takes may be above it.
pub(crate) const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;

/// What the gateway answers from.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) routes: Vec<Route>,
    /// How long each function may take.
    pub(crate) timeouts: BTreeMap<String, Duration>,
    pub(crate) functions: Functions,
    pub(crate) clock: Clock,
    /// The built pages.
    pub(crate) pages: Pages,
    /// What stands in front of a deployed portal.
    pub(crate) edge: Edge,
}

impl Gateway {
    /// The portal's whole face.
    pub(crate) fn router(self, mailbox: Mailbox) -> Router {
        let lambda = invoke_api::router(self.functions.clone(), self.timeouts.clone());
        Router::new().fallback(answer).with_state(Arc::new(self)).merge(mail_page::router(mailbox)).merge(lambda)
    }

    async fn call(&self, request: Request, peer: SocketAddr) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = payload::decode(parts.uri.path());
        if let Some(page) = self.pages.answer(&parts.method, &path, &self.edge) {
            return page;
        }
        let body = match read(body).await {
            Ok(body) => body,
            Err(status) => return problem(status),
        };
        let Some(found) = routes::find(&self.routes, parts.method.as_str(), &path) else {
            return problem(StatusCode::NOT_FOUND);
        };
        let request_id = ids::request();
        let context =
            Context { found: &found, path: &path, peer: peer.ip(), now: self.clock.now(), request_id: &request_id };
        let event = payload::event(&parts, &body, &context);
        if !fits(&event) {
            return problem(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let call = self.functions.invoke(&found.route.function, event);
        // Whose time is up first answers: the function's is an error of its own.
        let (limit, too_late) = match self.timeouts.get(&found.route.function) {
            Some(limit) if *limit < LONGEST_CALL => (*limit, StatusCode::INTERNAL_SERVER_ERROR),
            _ => (LONGEST_CALL, StatusCode::SERVICE_UNAVAILABLE),
        };
        let mut response = match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => {
                let response = fits(&answer).then(|| payload::response(&answer)).flatten();
                response.unwrap_or_else(|| problem(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Ok(Err(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR),
            Err(_) => problem(too_late),
        };
        if let Ok(request_id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("apigw-requestid", request_id);
        }
        if parts.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// Whether Lambda would take it, or hand it back.
fn fits(payload: &Value) -> bool {
    serde_json::to_vec(payload).is_ok_and(|bytes| bytes.len() <= LARGEST_PAYLOAD)
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    gateway.call(request, peer).await
}

async fn read(body: Body) -> Result<Bytes, StatusCode> {
    let mut stream = body.into_data_stream();
    let mut kept = Vec::new();
    let mut length = 0_usize;
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
        length += part.len();
        if length <= LARGEST_BODY {
            kept.extend_from_slice(&part);
        } else if length > MOST_THROWN_AWAY {
            break;
        }
    }
    if length <= LARGEST_BODY { Ok(kept.into()) } else { Err(StatusCode::PAYLOAD_TOO_LARGE) }
}

/// What the gateway itself answers, in its own words.
fn problem(status: StatusCode) -> Response<Body> {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::NOT_FOUND => "Not Found",
        StatusCode::SERVICE_UNAVAILABLE => "Service Unavailable",
        StatusCode::BAD_REQUEST => "Bad Request",
        _ => "Internal Server Error",
    };
    let mut response = Response::new(Body::from(format!("{{\"message\":\"{message}\"}}")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
mod tests;

//! An SES that takes no mail for a while.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use local::{EndpointHook, Options, Service};
use tokio::net::TcpListener;

/// What stands between the functions and SES.
#[derive(Clone, Default)]
pub struct Outage {
    lasts: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    target: Arc<Mutex<Option<String>>>,
    http: reqwest::Client,
}

impl Outage {
    /// An SES that works until [`Self::begin`], and options for a portal with it.
    pub async fn of_ses() -> (Self, Options) {
        let outage = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(forward).with_state(outage.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let target = Arc::clone(&outage.target);
        let hook: EndpointHook = Arc::new(move |_, service, endpoint| {
            if service != Service::Ses {
                return endpoint.to_owned();
            }
            *target.lock().unwrap() = Some(endpoint.to_owned());
            address.clone()
        });
        (outage, Options { endpoints: Some(hook), ..Options::default() })
    }

    /// From now on it takes nothing.
    pub fn begin(&self) {
        self.lasts.store(true, Ordering::SeqCst);
    }

    /// From now on it takes mails again.
    pub fn end(&self) {
        self.lasts.store(false, Ordering::SeqCst);
    }

    /// How many mails it did not take.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

async fn forward(State(outage): State<Outage>, request: Request) -> Response {
    if outage.lasts.load(Ordering::SeqCst) {
        outage.refused.fetch_add(1, Ordering::SeqCst);
        // A refusal that passes, and that the SDK does not itself repeat with pauses.
        let kind = (HeaderName::from_static("x-amzn-errortype"), "SendingPausedException");
        return (StatusCode::BAD_REQUEST, [kind], r#"{"message":"paused"}"#).into_response();
    }
    let target = outage.target.lock().unwrap().clone().expect("the hook was asked");
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let sent = outage.http.request(parts.method, format!("{target}{}", parts.uri)).body(body).send().await;
    let response = sent.expect("the local SES answers");
    let status = response.status();
    let body: Bytes = response.bytes().await.expect("a body");
    (status, body).into_response()
}

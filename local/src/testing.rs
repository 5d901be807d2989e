//! What the tests of several modules share.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};

use crate::server::{Stop, Stopper, listen, serve};

/// Calls a router without a socket.
pub(crate) async fn call(
    app: Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut service = app.into_service::<Body>();
    let response = tower_service::Service::call(&mut service, request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Serves a router on a free port until the stopper is dropped.
pub(crate) async fn served(app: Router) -> (String, Stopper) {
    let (stopper, stop) = Stop::new();
    let (listener, address) = listen(0).unwrap();
    drop(serve(listener, app, stop));
    (format!("http://{address}"), stopper)
}

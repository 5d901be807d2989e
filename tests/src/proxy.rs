//! A proxy between the functions and one of the services: what the tap, the faults and the outage stand on.

use std::io;
use std::net;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::request::Parts;
use http::{Method, Request, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use local::{EndpointHook, Options, Service};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// A request on its way.
pub(crate) struct Passing {
    /// The function that sent it.
    pub(crate) function: String,
    /// The service that it is for.
    pub(crate) service: Service,
    /// The operation, for a service that names it in a header; else empty.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Bytes,
    parts: Parts,
}

/// An answer; an error ends the connection without one.
pub(crate) type Answer = io::Result<Response>;

/// The way on to the service.
#[derive(Clone)]
pub(crate) struct Onward {
    target: String,
    http: reqwest::Client,
}

/// Options for a portal whose functions reach these services through a proxy that does `handle` with each request.
pub(crate) fn before<H, A>(services: &'static [Service], handle: H) -> Options
where
    H: Fn(Passing, Onward) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let (http, runtime) = (reqwest::Client::new(), Handle::current());
    let hook: EndpointHook = Arc::new(move |function, service, endpoint| {
        if !services.contains(&service) {
            return endpoint.to_owned();
        }
        // A socket for each function says whose a request is, and leaves its path and host as they were signed.
        let listener = net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket that waits for nobody");
        let address = listener.local_addr().expect("an address");
        let onward = Onward { target: endpoint.to_owned(), http: http.clone() };
        runtime.spawn(accept(listener, (function.to_owned(), service), onward, handle.clone()));
        format!("http://{address}")
    });
    Options { endpoints: Some(hook), ..Options::default() }
}

async fn accept<H, A>(listener: net::TcpListener, line: (String, Service), onward: Onward, handle: H)
where
    H: Fn(Passing, Onward) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::from_std(listener).expect("a socket of this runtime");
    while let Ok((stream, _)) = listener.accept().await {
        let (line, onward, handle) = (line.clone(), onward.clone(), handle.clone());
        let service = service_fn(move |request| {
            let (line, onward, handle) = (line.clone(), onward.clone(), handle.clone());
            async move { handle(Passing::read(line, request).await?, onward).await }
        });
        // A connection that hangs up, or is hung up on, ends with an error that nobody needs to hear of.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Passing {
    async fn read((function, service): (String, Service), request: Request<Incoming>) -> io::Result<Self> {
        let (parts, body) = request.into_parts();
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        let body = to_bytes(Body::new(body), usize::MAX).await.map_err(io::Error::other)?;
        Ok(Self { function, service, operation, body, parts })
    }

    /// The same with another body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Self {
        Self {
            function: self.function.clone(),
            service: self.service,
            operation: self.operation.clone(),
            body: body.into(),
            parts: self.parts.clone(),
        }
    }

    /// Its method, path and query.
    pub(crate) fn asks(&self) -> (&Method, &Uri) {
        (&self.parts.method, &self.parts.uri)
    }

    /// A header's value; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Onward {
    /// The service's answer.
    pub(crate) async fn forward(&self, passing: &Passing) -> Response<Bytes> {
        let Parts { method, headers, uri, .. } = &passing.parts;
        let mut request = self.http.request(method.clone(), format!("{}{uri}", self.target));
        for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
            request = request.header(name, value);
        }
        let answer = request.body(passing.body.clone()).send().await.expect("the service answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(answer.bytes().await.expect("a body"));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

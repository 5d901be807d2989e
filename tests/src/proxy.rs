//! A proxy between the functions and one of the services: what the tap, the faults and the outage stand on.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::Request;
use http::request::Parts;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use local::{EndpointHook, Options, Service};
use tokio::net::TcpListener;

/// A request on its way.
pub(crate) struct Passing {
    /// The function that sent it.
    pub(crate) function: String,
    /// The operation, for a service that names it in a header; else empty.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Bytes,
    /// Its path behind the proxy's own.
    path: String,
    parts: Parts,
}

/// An answer; an error ends the connection without one.
pub(crate) type Answer = io::Result<Response>;

/// The way on to the service.
#[derive(Clone, Default)]
pub(crate) struct Onward {
    target: Arc<Mutex<Option<String>>>,
    http: reqwest::Client,
}

/// Options for a portal whose functions reach a service through a proxy that does `handle` with each request.
pub(crate) async fn before<H, A>(service: Service, handle: H) -> Options
where
    H: Fn(Passing, Onward) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let onward = Onward::default();
    let target = Arc::clone(&onward.target);
    tokio::spawn(accept(listener, onward, handle));
    let hook: EndpointHook = Arc::new(move |function, called, endpoint| {
        if called != service {
            return endpoint.to_owned();
        }
        *target.lock().unwrap() = Some(endpoint.to_owned());
        format!("{address}/{function}")
    });
    Options { endpoints: Some(hook), ..Options::default() }
}

async fn accept<H, A>(listener: TcpListener, onward: Onward, handle: H)
where
    H: Fn(Passing, Onward) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        let (onward, handle) = (onward.clone(), handle.clone());
        let service = service_fn(move |request| {
            let (onward, handle) = (onward.clone(), handle.clone());
            async move { handle(Passing::read(request).await?, onward).await }
        });
        // A connection that hangs up, or is hung up on, ends with an error that nobody needs to hear of.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Passing {
    async fn read(request: Request<Incoming>) -> io::Result<Self> {
        let (parts, body) = request.into_parts();
        // The hook put the function's name before the path.
        let (_, path) = parts.uri.path().split_once('/').expect("a path begins with a slash");
        let (function, path) = path.split_once('/').expect("the function's name comes first");
        let (function, path) = (function.to_owned(), path.to_owned());
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        let body = to_bytes(Body::new(body), usize::MAX).await.map_err(io::Error::other)?;
        Ok(Self { function, operation, body, path, parts })
    }

    /// A header's value; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Onward {
    /// The service's answer.
    pub(crate) async fn forward(&self, passing: &Passing) -> Response<Bytes> {
        let target = self.target.lock().unwrap().clone().expect("the hook was asked");
        let Parts { method, headers, .. } = &passing.parts;
        let mut request = self.http.request(method.clone(), format!("{target}/{}", passing.path));
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
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

//! From the request to the response: the one place where a problem becomes an answer and a log line.

use std::convert::Infallible;
use std::future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, IntoResponse, Request, Response};

use super::line::request_line;
use super::{Answer, Call, Edge, Problem};
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::invocation::Invocation;
use crate::lambda::{HttpFunction, PANICKED};

/// A second below the ten that a function has: whoever waited so long is told to try again, where Lambda would
/// only say that the function failed.
const LONGEST: Duration = Duration::from_secs(9);

/// Two years, subdomains included: what browsers' preload lists ask for.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// A response as it goes to `lambda_http`: its body is text or bytes already, by the type of the answer. As a
/// `Response<Body>` it would be judged once more by its content type, copied, and decoded by tables for some forty
/// charsets.
pub struct Ready(Response<Body>);

impl IntoResponse for Ready {
    fn into_response(self) -> BoxFuture<'static, Response<Body>> {
        Box::pin(future::ready(self.0))
    }
}

/// Answers one request with a function; `cold` where it is the first since the function started.
///
/// # Errors
/// None: whatever happens is an answer.
pub async fn serve<F: HttpFunction>(
    function: &F,
    environment: &Environment,
    edge: &Edge,
    request: Request,
    cold: bool,
) -> Result<Ready, Infallible> {
    let stopwatch = Stopwatch::start();
    let admitted = edge.admits(request.headers());
    let call = Call::new(request, edge, environment.clock.now());
    let invocation = Invocation::default();
    let result = if admitted {
        // What an answer that was broken off leaves is what any interrupted request leaves.
        let answer = AssertUnwindSafe(function.answer(&call)).catch_unwind();
        match invocation.run(tokio::time::timeout(LONGEST, answer)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Problem::Internal { context: PANICKED.to_owned() }),
            Err(_) => Err(Problem::TryAgain { context: "no answer in time".to_owned() }),
        }
    } else {
        Err(Problem::MisdirectedRequest)
    };
    let result = settle(&call, result);
    let line = request_line(F::NAME, environment, &call, &result, &invocation.of_request(stopwatch.elapsed()), cold);
    environment.log.write(line);
    let mut response = match result {
        Ok(answer) => Answer::into_response(answer),
        Err(problem) => problem_response(&problem, &call),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    if let Ok(request_id) = HeaderValue::from_str(&call.request_id) {
        headers.insert("x-request-id", request_id);
    }
    Ok(Ready(response))
}

/// What a call is answered whose route reads no query: where it could be read, each parameter that came is refused. So
/// no route can forget to. A problem that comes before it in the contract's order stays; a conflict comes after.
fn settle(call: &Call, result: Result<Answer, Problem>) -> Result<Answer, Problem> {
    let comes_after = match &result {
        Ok(_) => true,
        Err(problem) => problem.status() == StatusCode::CONFLICT,
    };
    if call.only_reads() && comes_after {
        call.refuse_unread_query()?;
    }
    result
}

fn problem_response(problem: &Problem, call: &Call) -> Response<Body> {
    let document = problem.document(call.language, &call.request_id);
    let mut response = Response::new(Body::Text(document.to_string()));
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(call.language.tag()));
    if let Some(seconds) = problem.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(problem, Problem::UnsupportedMediaType) {
        // What would have been read (RFC 9110, 15.5.16).
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    }
    if matches!(problem, Problem::AuthenticationRequired) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

//! What a function is, and how it is run: in Lambda, and inside the local portal by the same path.

use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::{BoxFuture, join};
use jiff::Timestamp;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service, service_fn};
pub use lambda_runtime::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::Stopwatch;
use crate::environment::{Environment, StartError};
use crate::http::{Answer, Call, Edge, Problem, read_request};
use crate::invocation::Invocation;
use crate::log::{Level, Line, Log, with_sources};
use crate::store::open_connection;

/// A function behind routes of the HTTP API.
pub trait HttpFunction: Clone + Send + Sync + 'static {
    /// The function's one name: its folder, package, binary and event file.
    const NAME: &'static str;

    /// Builds clients, reads configuration and secrets: everything that Lambda's Init pays for.
    fn start(environment: &Environment) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Opens the connection to DynamoDB, beside the start. A function without tables has nothing to open, and says so:
    /// then it carries no client of AWS either, which is two thirds of what a function weighs.
    fn connect(environment: &Environment) -> impl Future<Output = ()> + Send {
        open_connection(environment, Self::NAME)
    }

    /// Answers one call.
    fn answer(&self, call: &Call) -> impl Future<Output = Result<Answer, Problem>> + Send;
}

/// A function that an event starts: a stream, a schedule, a file that arrived.
pub trait EventFunction: Clone + Send + Sync + 'static {
    /// The function's one name: its folder, package, binary and event file.
    const NAME: &'static str;
    /// The event as its source sends it.
    type Event: DeserializeOwned + Send;
    /// What the event's source reads of the answer.
    type Outcome: Serialize + Send;
    /// Why an event could not be handled. The source tries again; the text goes into the log.
    type Error: Display + Send;

    /// Builds clients, reads configuration and secrets.
    fn start(environment: &Environment) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Handles one event.
    fn handle(&self, event: Self::Event) -> impl Future<Output = Result<Self::Outcome, Self::Error>> + Send;

    /// Handles one event, and is cut off at `deadline` where there is one. Only who has more to do than fits
    /// into an invocation looks at it.
    fn handle_until(
        &self,
        event: Self::Event,
        deadline: Option<Timestamp>,
    ) -> impl Future<Output = Result<Self::Outcome, Self::Error>> + Send {
        let _ = deadline;
        self.handle(event)
    }
}

/// An event that could not be handled; Lambda reports it and the source tries again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvocationError(String);

impl From<InvocationError> for lambda_runtime::Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: "InvocationError".to_owned(), error_message: error.0 }
    }
}

/// A started function: takes the event's JSON and gives the answer's, as Lambda's runtime API does.
///
/// Besides the event it is told what Lambda calls the invocation, and when that ends at the latest, where it is known.
pub type Invoke = Box<dyn Fn(Value, Context) -> BoxFuture<'static, Result<Value, InvocationError>> + Send + Sync>;

/// Starts an HTTP function so that events can be handed to it one by one.
///
/// # Errors
/// Where the environment lacks something that the function needs.
pub async fn start_http<F: HttpFunction>(environment: &Environment) -> Result<Invoke, StartError> {
    let edge = Edge::of(environment)?;
    let (function, ()) = join(F::start(environment), F::connect(environment)).await;
    let function = function?;
    let environment = environment.clone();
    let unused = AtomicBool::new(true);
    Ok(Box::new(move |event, _| {
        let (function, environment, edge) = (function.clone(), environment.clone(), edge.clone());
        let cold = unused.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            let request = read_request(event).map_err(|error| not_an_event(&error))?;
            let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(request), Context::default());
            let service = |request| crate::http::serve(&function, &environment, &edge, request, cold);
            match Adapter::from(service_fn(service)).call(event).await {
                Ok(response) => to_json(&response),
                Err(never) => match never {},
            }
        })
    }))
}

/// Starts an event function so that events can be handed to it one by one.
///
/// # Errors
/// Where the environment lacks something that the function needs.
pub async fn start_event<F: EventFunction>(environment: &Environment) -> Result<Invoke, StartError> {
    let (function, ()) = join(F::start(environment), open_connection(environment, F::NAME)).await;
    let function = function?;
    let environment = environment.clone();
    let unused = AtomicBool::new(true);
    Ok(Box::new(move |event, context| {
        let (function, environment) = (function.clone(), environment.clone());
        let cold = unused.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            let stopwatch = Stopwatch::start();
            let invocation = Invocation::default();
            let handled = match from_json(event) {
                Ok(event) => {
                    let handled = AssertUnwindSafe(function.handle_until(event, deadline(&context))).catch_unwind();
                    match invocation.run(handled).await {
                        Ok(handled) => handled.map_err(|error| InvocationError(error.to_string())),
                        Err(_) => Err(InvocationError(PANICKED.to_owned())),
                    }
                }
                Err(error) => Err(error),
            };
            let mut line = Line::new(F::NAME)
                .with("outcome", if handled.is_ok() { "ok" } else { "failed" })
                .with("cold", cold)
                .with_some("request_id", Some(context.request_id).filter(|id| !id.is_empty()));
            for (metric, value) in invocation.of_request(stopwatch.elapsed()) {
                line = line.with_figure(metric, value);
            }
            line = invocation.of_event(line, environment.publication("function"), F::NAME);
            if let Err(error) = &handled {
                line = line.at_least(Level::Error).context(&error.to_string());
            }
            environment.log.write(line);
            to_json(&handled?)
        })
    }))
}

/// What the line of a request or an event says where the code panicked; the line before it says where.
pub(crate) const PANICKED: &str = "panicked";

/// Has a panic leave a line of the log, with its place and without its message: that may quote what is secret, and
/// Rust's own hook would write it to the log.
pub fn log_panics(log: Log, function: &'static str) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        log.write(Line::new(function).at_least(Level::Error).context(&format!("{PANICKED} at {place}")));
    }));
}

/// The `main` of an HTTP function in Lambda.
#[must_use]
pub fn run_http<F: HttpFunction>() -> ExitCode {
    run(|environment| async move { start_http::<F>(&environment).await }, F::NAME)
}

/// The `main` of an event function in Lambda.
#[must_use]
pub fn run_event<F: EventFunction>() -> ExitCode {
    run(|environment| async move { start_event::<F>(&environment).await }, F::NAME)
}

fn run<S, R>(start: S, name: &'static str) -> ExitCode
where
    S: FnOnce(Environment) -> R,
    R: Future<Output = Result<Invoke, StartError>>,
{
    let environment = Environment::of_process();
    let log = environment.log.clone();
    log_panics(log.clone(), name);
    let fail = |error: &dyn Error| {
        log.write(Line::new(name).at_least(Level::Error).context(&with_sources("start", error)));
        ExitCode::FAILURE
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(async {
        let invoke = match start(environment).await {
            Ok(invoke) => invoke,
            Err(error) => return fail(&error),
        };
        let service = service_fn(|event: LambdaEvent<Value>| invoke(event.payload, event.context));
        match lambda_runtime::run(service).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error.as_ref()),
        }
    })
}

/// When Lambda cuts the invocation off. An instant that no calendar has is no deadline, and neither is none at all.
fn deadline(context: &Context) -> Option<Timestamp> {
    let milliseconds = i64::try_from(context.deadline).ok().filter(|milliseconds| *milliseconds > 0)?;
    Timestamp::from_millisecond(milliseconds).ok()
}

fn from_json<T: DeserializeOwned>(event: Value) -> Result<T, InvocationError> {
    serde_json::from_value(event).map_err(|error| not_an_event(&error))
}

fn not_an_event(error: &serde_json::Error) -> InvocationError {
    InvocationError(format!("not an event of this function: {error}"))
}

fn to_json<T: Serialize>(answer: &T) -> Result<Value, InvocationError> {
    serde_json::to_value(answer).map_err(|error| InvocationError(format!("the answer cannot be written: {error}")))
}

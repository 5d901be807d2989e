//! The functions as Lambda runs them: started at their first call, each call on its own, a panic kept
//! inside.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portal::domain::Id;
use portal::environment::{Environment, StartError, rng};
use portal::lambda::{Context, InvocationError, Invoke};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, watch};

use crate::registry::{Registry, Starter};

/// Why a function gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No function has this name.
    #[error("there is no function {0}")]
    Unknown(String),
    /// It could not start.
    #[error("{function} does not start: {reason}")]
    Start {
        /// The function's name.
        function: String,
        /// Why not, with all its causes.
        reason: String,
    },
    /// It could not handle the event.
    #[error("{0} failed: {1}")]
    Failed(String, #[source] InvocationError),
    /// It panicked.
    #[error("{0} panicked")]
    Panicked(String),
}

/// All functions.
#[derive(Clone)]
pub(crate) struct Functions(Arc<Inner>);

struct Inner {
    functions: BTreeMap<String, Function>,
    /// Moves after each call: what a function wrote may be of interest to the readers of streams.
    calls: watch::Sender<u64>,
    /// How many calls are running, those included whose caller no longer waits.
    running: watch::Sender<usize>,
}

struct Function {
    starter: Starter,
    environment: Environment,
    timeout: Option<Duration>,
    started: OnceCell<Invoke>,
}

impl fmt::Debug for Functions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.functions.keys()).finish()
    }
}

impl Functions {
    /// The functions with the environment of each. Both sides must know the same functions.
    pub(crate) fn new(
        registry: &Registry,
        mut environments: BTreeMap<String, Environment>,
        timeouts: &BTreeMap<String, Duration>,
    ) -> Result<Self, String> {
        let mut functions = BTreeMap::new();
        for (name, starter) in registry.starters() {
            let environment = environments
                .remove(name)
                .ok_or_else(|| format!("function {name} is in the registry but not in template.yaml"))?;
            let timeout = timeouts.get(name).copied();
            functions.insert(name.to_owned(), Function { starter, environment, timeout, started: OnceCell::new() });
        }
        match environments.into_keys().next() {
            Some(name) => Err(format!("function {name} is in template.yaml but not in the registry")),
            None => {
                let (calls, running) = (watch::Sender::new(0), watch::Sender::new(0));
                Ok(Self(Arc::new(Inner { functions, calls, running })))
            }
        }
    }

    /// Starts all of them now, at the same time.
    pub(crate) async fn start_all(&self) -> Result<(), InvokeError> {
        let starts = self.0.functions.iter().map(|(name, function)| function.started(name));
        futures::future::try_join_all(starts).await.map(|_| ())
    }

    /// Hands one event to a function. The call goes on where the caller stops waiting, as in Lambda.
    pub(crate) async fn invoke(&self, name: &str, event: Value) -> Result<Value, InvokeError> {
        let inner = Arc::clone(&self.0);
        let owned = name.to_owned();
        let running = Running::start(&self.0);
        let call = tokio::spawn(async move {
            let _running = running;
            let function = inner.functions.get(&owned).ok_or_else(|| InvokeError::Unknown(owned.clone()))?;
            let invoke = function.started(&owned).await?;
            let answer = invoke(event, function.context()).await.map_err(|error| InvokeError::Failed(owned, error));
            inner.calls.send_modify(|calls| *calls = calls.wrapping_add(1));
            answer
        });
        let answer = call.await.unwrap_or_else(|_| Err(InvokeError::Panicked(name.to_owned())));
        // What failed inside was logged there; what never got inside is logged here.
        if let Err(error @ (InvokeError::Start { .. } | InvokeError::Panicked(_))) = &answer
            && let Some(function) = self.0.functions.get(name)
        {
            let line = json!({"level": "error", "function": name, "error": error.to_string()});
            function.environment.log.write_local(&line);
        }
        answer
    }

    /// Waits until no call is running.
    pub(crate) async fn idle(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.0.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Changes after every call.
    pub(crate) fn calls(&self) -> watch::Receiver<u64> {
        self.0.calls.subscribe()
    }

    /// As if a function had been called: whoever waits for calls looks again.
    pub(crate) fn wake(&self) {
        self.0.calls.send_modify(|calls| *calls = calls.wrapping_add(1));
    }
}

/// Counts a call until it is dropped, by a panic too.
struct Running(Arc<Inner>);

impl Running {
    fn start(inner: &Arc<Inner>) -> Self {
        inner.running.send_modify(|running| *running += 1);
        Self(Arc::clone(inner))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

impl Function {
    /// What Lambda says of an invocation that begins now.
    fn context(&self) -> Context {
        let mut context = Context::default();
        context.request_id = Id::random(&mut rng()).to_string();
        let ends = self.timeout.and_then(|timeout| self.environment.clock.now().checked_add(timeout).ok());
        context.deadline = ends.and_then(|ends| u64::try_from(ends.as_millisecond()).ok()).unwrap_or_default();
        context
    }

    async fn started(&self, name: &str) -> Result<&Invoke, InvokeError> {
        let start = self.started.get_or_try_init(|| (self.starter)(&self.environment));
        start.await.map_err(|error| InvokeError::Start { function: name.to_owned(), reason: with_causes(&error) })
    }
}

fn with_causes(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

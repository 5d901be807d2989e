//! A way to DynamoDB and S3 that ends after so many calls: whoever made the last one never hears of it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use import_feed::Function;
use local::Portal;
use portal::environment::Environment;
use portal::lambda::EventFunction as _;
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::Fund;

/// Counts calls, and cuts the way at one.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    at: usize,
    /// Whether that call still has its effect.
    done: bool,
    calls: Arc<AtomicUsize>,
    reached: Arc<Notify>,
}

impl Cut {
    pub(crate) fn after(at: usize, done: bool) -> Self {
        Self { at, done, calls: Arc::default(), reached: Arc::default() }
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The environment of `import-feed`, with this way.
    pub(crate) fn environment(&self, portal: &Portal) -> Environment {
        let given = portal.environment_of("import-feed").unwrap();
        let way = Way { cut: self.clone(), http: given.http() };
        Environment::new(given.variables().clone(), given.clock.clone(), given.log.clone(), SharedHttpClient::new(way))
    }

    /// Has the manifest of a folder arrive at a function with this way; nothing where that was cut.
    pub(crate) async fn arrive(&self, fund: &Fund, folder: &str) -> Option<Value> {
        let function = Function::start(&self.environment(&fund.portal)).await.unwrap();
        self.run(Fund::hand(&function, fund.event(&format!("{folder}/manifest.json")))).await
    }

    /// Runs an invocation until it ends or the way is cut, and then it is gone.
    pub(crate) async fn run<T>(&self, invocation: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            ended = invocation => Some(ended),
            () = self.reached.notified() => None,
        }
    }
}

#[derive(Debug)]
struct Way {
    cut: Cut,
    http: SharedHttpClient,
}

impl HttpClient for Way {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let onward = self.http.http_connector(settings, parts);
        SharedHttpConnector::new(Counting { cut: self.cut.clone(), onward })
    }
}

#[derive(Debug)]
struct Counting {
    cut: Cut,
    onward: SharedHttpConnector,
}

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Cut { at, done, calls, reached } = self.cut.clone();
        if calls.fetch_add(1, Ordering::SeqCst) != at {
            return self.onward.call(request);
        }
        let last = done.then(|| self.onward.call(request));
        HttpConnectorFuture::new(async move {
            if let Some(last) = last {
                let _ = last.await;
            }
            reached.notify_one();
            pending().await
        })
    }
}

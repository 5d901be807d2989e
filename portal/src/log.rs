//! The structured log: one JSON object a line.
//!
//! What never goes in: a request or response body, a token, a link, a password, a whole e-mail
//! address. The types that hold such things have no `Debug` or `Display` that shows them, and a test
//! looks for them in every line of every journey.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

type Sink = dyn Fn(&Value) + Send + Sync;

/// Where log lines go.
#[derive(Clone)]
pub struct Log(Arc<Sink>);

impl Log {
    /// Lines on standard output, which Lambda hands to CloudWatch Logs.
    #[must_use]
    #[allow(clippy::print_stdout, reason = "the log of a Lambda function is its standard output")]
    pub fn stdout() -> Self {
        Self::to(|line| println!("{line}"))
    }

    /// Lines handed to `sink`, as the local portal and the tests want them.
    pub fn to(sink: impl Fn(&Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Writes one line.
    pub fn line(&self, line: &Value) {
        (self.0)(line);
    }
}

/// What the portal's own metrics are found under in CloudWatch.
const NAMESPACE: &str = "MemberPortal";

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Seconds,
}

impl Log {
    /// Writes a line that CloudWatch reads as metrics of a function (the embedded metric format).
    pub fn metrics(&self, function: &str, now: Timestamp, metrics: &[(&str, Unit, u64)]) {
        let unit = |unit| match unit {
            Unit::Count => "Count",
            Unit::Seconds => "Seconds",
        };
        let named: Vec<Value> = metrics.iter().map(|(name, of, _)| json!({"Name": name, "Unit": unit(*of)})).collect();
        let mut line: Map<String, Value> =
            metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))).collect();
        line.insert("level".to_owned(), "info".into());
        line.insert("function".to_owned(), function.into());
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": named}],
            }),
        );
        self.line(&Value::Object(line));
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Log")
    }
}

/// An error and what caused it, each said once, after a word on where.
#[must_use]
pub fn with_sources(what: &str, error: &dyn Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing into a string cannot fail.
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

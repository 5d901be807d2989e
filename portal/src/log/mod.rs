//! The structured log: one JSON object a line, one [`Line`] a request or an event, metrics in it.
//!
//! What never goes in: a request or response body, a token, a link, a password, a whole e-mail
//! address. The types that hold such things have no `Debug` or `Display` that shows them, and a test
//! looks for them in every line of every journey.

mod line;
mod metric;

use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde_json::Value;

pub use line::{Level, Line, Publication};
pub use metric::Metric;

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
    pub fn write(&self, line: Line) {
        (self.0)(&line.into_value());
    }

    /// Writes what no function says: the local portal tells in its own words, of any length, what Lambda and
    /// the event sources would keep elsewhere.
    pub fn write_local(&self, line: &Value) {
        (self.0)(line);
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

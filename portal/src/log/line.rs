//! One line of the log, which is never too long.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Metric;

/// How much a line says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// As it should be.
    #[default]
    Info,
    /// Worth a look, and no failure.
    Warn,
    /// Something failed that should not have.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What a line's metrics are published under.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// CloudWatch's namespace.
    pub namespace: &'a str,
    /// The field of the line that is the metrics' one dimension.
    pub dimension: &'static str,
    /// When it was measured.
    pub at: Timestamp,
}

/// A line: level and function first, then metrics, then fields in their order, then the context.
///
/// It has at most [`Line::LONGEST`] bytes whatever is put in: what there is no room for is left out, the
/// context first, and `cut` says how many bytes that were.
#[derive(Debug, Clone)]
pub struct Line {
    level: Level,
    head: Map<String, Value>,
    fields: Vec<(&'static str, Value)>,
    context: String,
}

impl Line {
    /// In bytes.
    pub const LONGEST: usize = 600;

    /// Room for `,"cut":123456789`.
    const CUT: usize = 16;

    /// The longest text of a field, in bytes: what is longer is no name of anything here.
    const LONGEST_TEXT: usize = 120;

    /// A line of a function.
    #[must_use]
    pub fn new(function: &'static str) -> Self {
        let head = Map::from_iter([("function".to_owned(), Value::from(function))]);
        Self { level: Level::Info, head, fields: Vec::new(), context: String::new() }
    }

    /// At least of this level.
    #[must_use]
    pub fn at_least(mut self, level: Level) -> Self {
        self.level = self.level.max(level);
        self
    }

    /// With a field. Those that are given first stay longest.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With a field where there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a figure that may be a metric too.
    #[must_use]
    pub fn with_figure(self, metric: Metric, value: f64) -> Self {
        self.with(metric.name(), number(value))
    }

    /// With words on what happened, for people; behind what was said before.
    #[must_use]
    pub fn context(mut self, text: &str) -> Self {
        if !self.context.is_empty() && !text.is_empty() {
            self.context.push_str(" | ");
        }
        self.context.push_str(text);
        self
    }

    /// With metrics that CloudWatch reads from the line (the embedded metric format): they are never left out.
    #[must_use]
    pub fn publish(mut self, to: Publication<'_>, dimension: &str, metrics: &[(Metric, f64)]) -> Self {
        if metrics.is_empty() {
            return self;
        }
        let named = metrics.iter().map(|(metric, _)| match metric.unit() {
            Some(unit) => json!({"Name": metric.name(), "Unit": unit}),
            None => json!({"Name": metric.name()}),
        });
        let directive =
            json!({"Namespace": to.namespace, "Dimensions": [[to.dimension]], "Metrics": named.collect::<Vec<_>>()});
        let metadata = json!({"Timestamp": to.at.as_millisecond(), "CloudWatchMetrics": [directive]});
        self.head.insert("_aws".to_owned(), metadata);
        self.head.insert(to.dimension.to_owned(), dimension.into());
        self.head.extend(metrics.iter().map(|(metric, value)| (metric.name().to_owned(), number(*value))));
        self
    }

    /// The line as it is written.
    #[must_use]
    pub fn into_value(self) -> Value {
        let Self { level, head: mut line, fields, context } = self;
        line.insert("level".to_owned(), level.name().into());
        let mut used = json_length(&line) + Self::CUT;
        let mut cut = 0;
        for (name, value) in fields {
            let (value, lost) = shortened(value);
            cut += lost;
            let length = name.len() + json_length(&value) + r#","":"#.len();
            if line.contains_key(name) {
                continue;
            }
            if used + length > Self::LONGEST {
                cut += length;
            } else {
                used += length;
                line.insert(name.to_owned(), value);
            }
        }
        if !context.is_empty() {
            let room = Self::LONGEST.saturating_sub(used + r#","context":"""#.len());
            let kept = beginning(&context, room);
            cut += context.len() - kept.len();
            if !kept.is_empty() {
                line.insert("context".to_owned(), kept.into());
            }
        }
        if cut > 0 {
            line.insert("cut".to_owned(), cut.into());
        }
        Value::Object(line)
    }
}

/// A number as JSON has it: without a point where there is nothing behind it.
fn number(value: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "it has no fraction and is below 2^53")]
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

fn json_length(value: &impl serde::Serialize) -> usize {
    // What is made of JSON values can be written as JSON.
    serde_json::to_string(value).map_or(0, |text| text.len())
}

/// A text that is no longer than a field's may be, and how much was taken off.
fn shortened(value: Value) -> (Value, usize) {
    match value {
        Value::String(text) if text.len() > Line::LONGEST_TEXT => {
            let kept = beginning(&text, Line::LONGEST_TEXT).to_owned();
            let lost = text.len() - kept.len();
            (Value::from(kept), lost)
        }
        other => (other, 0),
    }
}

/// As much of a text as takes at most so many bytes inside of JSON's quotes.
fn beginning(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (place, character) in text.char_indices() {
        used += json_length(&character) - 2;
        if used > room {
            return &text[..place];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn length(line: Line) -> (usize, Value) {
        let value = line.into_value();
        (value.to_string().len(), value)
    }

    #[test]
    fn a_line_is_never_longer_than_600_bytes_and_says_what_was_cut() {
        for text in ["x", "é", "\u{1}", "\"", "🧱"] {
            for long in [0, 1, 50, 400, 599, 600, 10_000] {
                let text = text.repeat(long);
                let line = Line::new("query-ledger").with("request_id", "JKJaXmPLvHcESHA=").context(&text);
                let (length, value) = length(line);
                assert!(length <= Line::LONGEST, "{length}: {value}");
                let kept = value["context"].as_str().unwrap_or_default();
                let cut = usize::try_from(value["cut"].as_u64().unwrap_or(0)).unwrap();
                assert_eq!(kept.len() + cut, text.len(), "{value}");
                assert!(cut == 0 || length > Line::LONGEST - 24, "cut, and there was room: {length}: {value}");
            }
        }
    }

    #[test]
    fn what_there_is_no_room_for_goes_and_metrics_stay() {
        let to = Publication { namespace: "MemberPortal/dev", dimension: "function", at: AT };
        let mut line = Line::new("import-feed").publish(to, "import-feed", &[(Metric::Posted, 3.0)]);
        for name in ["a", "b", "c", "d", "e", "f"] {
            line = line.with(name, "y".repeat(300));
        }
        let (length, value) = length(line.context("why"));
        assert!(length <= Line::LONGEST, "{length}: {value}");
        assert_eq!((&value["posted"], value["a"].as_str().map(str::len)), (&json!(3), Some(120)));
        assert!(value["f"].is_null() && value["cut"].as_u64().is_some_and(|cut| cut > 6 * 180), "{value}");
    }

    #[test]
    fn numbers_are_written_short() {
        let written = [0.0, 12.0, 0.5, 1234.5].map(|value| number(value).to_string());
        assert_eq!(written, ["0", "12", "0.5", "1234.5"]);
    }
}

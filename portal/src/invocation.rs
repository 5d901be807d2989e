//! The request or event under way: what it takes and what is told of it, for its one log line.
//!
//! Whoever does something that counts says so here, wherever they are below the handler: the store its
//! capacity, hashing its time, a function what it did. What runs in tasks of its own (`tokio::spawn`) is
//! outside, and so is a start: then nothing is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::log::{Level, Line, Metric, Publication};

tokio::task_local! {
    static UNDER_WAY: Invocation;
}

/// What one request or event took so far.
#[derive(Debug, Clone, Default)]
pub struct Invocation(Arc<Mutex<Figures>>);

#[derive(Debug, Default)]
struct Figures {
    level: Level,
    read_units: f64,
    write_units: f64,
    hashing: Option<Duration>,
    counts: BTreeMap<Metric, u64>,
    told: Vec<(&'static str, Value)>,
    context: Vec<String>,
}

/// Adds DynamoDB's units, as it told them itself.
pub(crate) fn consumed(read_units: f64, write_units: f64) {
    note(|figures| {
        figures.read_units += read_units;
        figures.write_units += write_units;
    });
}

/// Adds the time that a password's hash took.
pub(crate) fn hashed(time: Duration) {
    note(|figures| figures.hashing = Some(figures.hashing.unwrap_or_default() + time));
}

/// Counts something that is a metric.
pub fn count(metric: Metric, number: u64) {
    note(|figures| *figures.counts.entry(metric).or_default() += number);
}

/// Tells what was done: a field of the line. Numbers, names and identifiers; never whom it concerned.
pub fn tell(name: &'static str, value: impl Into<Value>) {
    let value = value.into();
    note(|figures| figures.told.push((name, value)));
}

/// Says what is worth a look, in the line's context.
pub fn warn(what: impl Into<String>) {
    add(Level::Warn, what.into());
}

/// Says what failed, in the line's context, where the event goes on without it.
pub fn trouble(what: impl Into<String>) {
    add(Level::Error, what.into());
}

fn add(level: Level, what: String) {
    note(|figures| {
        figures.level = figures.level.max(level);
        figures.context.push(what);
    });
}

fn note(change: impl FnOnce(&mut Figures)) {
    // Outside of an invocation there is no line to say it in.
    let _ = UNDER_WAY.try_with(|invocation| change(&mut invocation.figures()));
}

impl Invocation {
    /// Runs what is done for the request or event.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        UNDER_WAY.scope(self.clone(), work).await
    }

    fn figures(&self) -> std::sync::MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The figures of a request: those that a good answer publishes.
    #[must_use]
    pub fn of_request(&self, latency: Duration) -> Vec<(Metric, f64)> {
        let figures = self.figures();
        let mut all = vec![
            (Metric::Latency, milliseconds(latency)),
            (Metric::ReadUnits, figures.read_units),
            (Metric::WriteUnits, figures.write_units),
        ];
        all.extend(figures.hashing.map(|time| (Metric::HashTime, milliseconds(time))));
        all
    }

    /// Puts into a line of an event what was counted, told and said.
    #[must_use]
    pub fn of_event(&self, line: Line, to: Option<Publication<'_>>, function: &str) -> Line {
        let figures = self.figures();
        #[allow(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let counts: Vec<_> = figures.counts.iter().map(|(metric, number)| (*metric, *number as f64)).collect();
        let mut line = line.at_least(figures.level);
        for (metric, number) in &counts {
            if *number > 0.0 {
                line = line.at_least(metric.level());
            }
            line = line.with_figure(*metric, *number);
        }
        if let Some(to) = to {
            line = line.publish(to, function, &counts);
        }
        for (name, value) in &figures.told {
            line = line.with(name, value.clone());
        }
        figures.context.iter().fold(line, |line, text| line.context(text))
    }
}

/// In milliseconds; whole from ten on.
fn milliseconds(time: Duration) -> f64 {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds >= 10.0 { milliseconds.round() } else { (milliseconds * 10.0).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_side_by_side_is_counted_in_its_own_invocation() {
        let (one, other) = (Invocation::default(), Invocation::default());
        let work = async |units: f64| {
            for _ in 0..10 {
                consumed(units, 2.0 * units);
                tokio::task::yield_now().await;
            }
        };
        // Futures that are joined are inside; outside of any nothing is counted.
        let joined = async { futures::future::join(work(1.0), work(0.5)).await };
        futures::future::join3(one.run(joined), other.run(work(3.0)), work(100.0)).await;
        let units = |invocation: &Invocation| invocation.of_request(Duration::ZERO)[1..].to_vec();
        assert_eq!(units(&one), [(Metric::ReadUnits, 15.0), (Metric::WriteUnits, 30.0)]);
        assert_eq!(units(&other), [(Metric::ReadUnits, 30.0), (Metric::WriteUnits, 60.0)]);
    }

    #[tokio::test]
    async fn what_is_counted_sets_the_level() {
        let level = async |metric: Metric, number: u64| {
            let invocation = Invocation::default();
            invocation.run(async { count(metric, number) }).await;
            invocation.of_event(Line::new("send-mail"), None, "send-mail").into_value()["level"].clone()
        };
        assert_eq!(level(Metric::MailsFailed, 0).await, "info");
        assert_eq!(level(Metric::MailsFailed, 1).await, "error");
        assert_eq!(level(Metric::MailsHeldBack, 1).await, "warn");
        assert_eq!(level(Metric::MailsSent, 1).await, "info");
    }
}

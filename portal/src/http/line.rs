//! A request's one log line, with its metrics.

use super::{Answer, Call, Problem};
use crate::environment::Environment;
use crate::log::{Level, Line, Metric};

/// The line of a request. Its metrics have the outcome as their dimension: a good answer publishes its figures, a
/// problem that it happened, for an answer that refuses in two milliseconds would make the portal look fast.
pub(super) fn request_line(
    function: &'static str,
    environment: &Environment,
    call: &Call,
    result: &Result<Answer, Problem>,
    figures: &[(Metric, f64)],
    cold: bool,
) -> Line {
    let (outcome, status) = match result {
        Ok(answer) => ("ok", answer.status()),
        Err(problem) => (problem.slug(), problem.status()),
    };
    let mut line = Line::new(function)
        .with("request_id", call.request_id.as_str())
        .with("route", call.route.as_str())
        .with("outcome", outcome)
        .with("status", status.as_u16());
    for (metric, value) in figures {
        line = line.with_figure(*metric, *value);
    }
    // A pseudonym: the table of users alone tells whose it is.
    line = line.with("cold", cold).with_some("user", call.caller().map(|user_id| user_id.to_string()));
    if let Some(to) = environment.publication("outcome") {
        let mut published = vec![(Metric::Requests, 1.0)];
        published.extend_from_slice(if result.is_ok() { figures } else { &[] });
        line = line.publish(to, outcome, &published);
    }
    match result {
        Err(problem @ Problem::Internal { .. }) => line.at_least(Level::Error).context(&context_of(problem)),
        Err(problem) => line.context(&context_of(problem)),
        Ok(_) => line,
    }
}

fn context_of(problem: &Problem) -> String {
    problem.log_context().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use jiff::Timestamp;
    use lambda_http::Request;
    use serde_json::Value;

    use super::*;
    use crate::clock::Clock;
    use crate::domain::{Id, Refusal};
    use crate::environment::http_client;
    use crate::http::{Edge, FieldError};
    use crate::log::Log;

    /// Longer than any that the template has.
    const ROUTE: &str = "DELETE /api/accounts/{number}/remittances/{remittance_number}";
    /// As long as a UUID; the gateway's have 16 characters.
    const REQUEST_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";
    /// Stage has 20 characters at most.
    const NAMESPACE: &str = "MemberPortal/production-of-twenty";

    fn line(result: &Result<Answer, Problem>, hashed: bool) -> Value {
        let variables = BTreeMap::from([("METRICS_NAMESPACE".to_owned(), NAMESPACE.to_owned())]);
        let environment = Environment::new(variables, Clock::system(), Log::to(|_| {}), http_client());
        let mut call = Call::new(Request::default(), &Edge::default(), Timestamp::UNIX_EPOCH);
        (call.route, call.request_id) = (ROUTE.to_owned(), REQUEST_ID.to_owned());
        call.note_caller(Id::from_bytes([0xab; 16]));
        let mut figures = vec![(Metric::Latency, 9000.0), (Metric::ReadUnits, 12345.5), (Metric::WriteUnits, 12345.5)];
        figures.extend(hashed.then_some((Metric::HashTime, 1234.0)));
        request_line("accept-document", &environment, &call, result, &figures, false).into_value()
    }

    #[test]
    fn the_longest_request_fits_and_what_went_wrong_is_cut() {
        let field = |n: usize| FieldError {
            field: format!("terms.field_number_{n}"),
            refusal: Refusal::new("not-the-right-code", "é".repeat(500), "x".repeat(500)),
        };
        let long = || "store: \"\u{1}\\ n’est pas là ".repeat(500);
        let problems = [
            Problem::Internal { context: long() },
            Problem::TryAgain { context: long() },
            Problem::InvalidInput((0..500).map(field).collect()),
            Problem::AuthenticationRequired,
            Problem::closed_for(Duration::MAX),
        ];
        let good = Answer::ok(&serde_json::json!({"body": "x".repeat(5_000)}));
        for result in problems.map(Err).into_iter().chain([good]) {
            let line = line(&result, false);
            assert!(line.to_string().len() <= Line::LONGEST, "{line}");
            let all = ["level", "function", "request_id", "route", "outcome", "status", "latency_ms", "cold"];
            for name in all.iter().chain(&["read_units", "write_units", "user", "requests", "_aws"]) {
                assert!(!line[*name].is_null(), "no {name}: {line}");
            }
            let long = result.as_ref().err().and_then(Problem::log_context).is_some_and(|context| context.len() > 600);
            assert_eq!(long, line["cut"].is_u64(), "{line}");
            let kept = line["context"].as_str().map_or(0, str::len);
            assert!(!long || kept > 40, "{kept} bytes are kept of what went wrong: {line}");
        }
    }

    #[test]
    fn a_problem_publishes_that_it_was_and_a_good_answer_its_figures() {
        let names = |result: Result<Answer, Problem>| {
            let line = line(&result, true);
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
            let names: Vec<_> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect();
            (line["outcome"].as_str().unwrap().to_owned(), names.join(" "))
        };
        assert_eq!(names(Err(Problem::NotFound)), ("not-found".to_owned(), "requests".to_owned()));
        let all = "requests latency_ms read_units write_units hash_ms";
        assert_eq!(names(Answer::ok(&1)), ("ok".to_owned(), all.to_owned()));
    }
}

//! An answer of the portal, with what was asked.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

use http::HeaderMap;
use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The request's method.
    pub method: String,
    /// The request's path, without its query.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// When to come again, in seconds.
    ///
    /// # Panics
    /// Where it does not say.
    pub fn retry_after(&self) -> u64 {
        self.header("retry-after").expect("it says when").parse().expect("seconds")
    }

    /// How many answers there are of each status.
    pub fn statuses(replies: &[Self]) -> BTreeMap<u16, usize> {
        let mut statuses = BTreeMap::new();
        for reply in replies {
            *statuses.entry(reply.status).or_default() += 1;
        }
        statuses
    }

    /// The last part of a problem's type; empty for what is no problem.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/")).unwrap_or_default()
    }

    /// `field:code` of each refused field, in the order of the answer.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| format!("{}:{}", e["field"].as_str().unwrap(), e["code"].as_str().unwrap())).collect()
    }

    /// The same reply, if it has this status.
    ///
    /// # Panics
    /// Where it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The same reply, if it is this problem.
    ///
    /// # Panics
    /// Where it is another, or none.
    #[track_caller]
    pub fn expect_problem(self, status: u16, slug: &str) -> Self {
        assert_eq!((self.status, self.problem()), (status, slug), "{self}");
        self
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} -> {} {}", self.method, self.path, self.status, self.text)
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}

//! A call: what a handler may know of a request.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lambda_events::query_map::QueryMap;
use jiff::Timestamp;
use lambda_http::http::{HeaderMap, HeaderValue, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use serde_json::Value;

use super::{Edge, Form, Language, Problem, headers, json};
use crate::domain::{Id, is_unfit};
use crate::security::FileLinks;

/// Bodies above this are refused before they are parsed. The longest honest one, a password twice, has
/// a hundredth of it.
const LARGEST_BODY: usize = 64 * 1024;

/// What is kept of a `User-Agent`, in bytes; browsers' have some 120.
const LONGEST_USER_AGENT: usize = 256;

/// One request, taken apart once.
///
/// `Host` and `X-Forwarded-*` are not in it: nothing may depend on them.
pub struct Call {
    /// API Gateway's name of the route, such as `GET /api/accounts/{number}/summary`.
    pub route: String,
    /// API Gateway's id of the request, for answers, logs and evidence.
    pub request_id: String,
    /// When the request is handled: the `now` of every rule.
    pub now: Timestamp,
    /// The language of what the answer says.
    pub language: Language,
    /// The caller's address: see [`Edge`].
    pub source_ip: Option<IpAddr>,
    /// The `User-Agent` header, cut at 256 bytes.
    pub user_agent: Option<String>,
    caller: OnceLock<Id>,
    path_parameters: QueryMap,
    query: QueryMap,
    /// Whether the route has taken its query parameters, or refused them.
    query_is_read: AtomicBool,
    /// Whether the route takes links to files: then one in the query is no parameter.
    takes_links: AtomicBool,
    headers: HeaderMap,
    body: Body,
}

impl Call {
    /// Takes a request apart. What an event lacks that API Gateway always sends is left empty.
    #[must_use]
    pub fn new(request: Request, edge: &Edge, now: Timestamp) -> Self {
        let (path_parameters, query) = (request.path_parameters(), request.query_string_parameters());
        let context = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => Some(context),
            _ => None,
        };
        let route = context.and_then(|context| context.route_key.clone()).unwrap_or_default();
        let request_id = context.and_then(|context| context.request_id.clone()).unwrap_or_default();
        let gateway_saw = context.and_then(|context| context.http.source_ip.as_deref()?.parse().ok());
        let (parts, body) = request.into_parts();
        let source_ip = edge.viewer(&parts.headers, gateway_saw);
        let language = Language::preferred(&headers::text(&parts.headers, &header::ACCEPT_LANGUAGE));
        let user_agent = parts.headers.get(header::USER_AGENT).map(user_agent);
        Self {
            route,
            request_id,
            now,
            language,
            source_ip,
            user_agent,
            caller: OnceLock::new(),
            path_parameters,
            query,
            query_is_read: AtomicBool::new(false),
            takes_links: AtomicBool::new(false),
            headers: parts.headers,
            body,
        }
    }

    /// Notes who is calling, for the log line: whoever the access token was issued to.
    pub fn note_caller(&self, user_id: Id) {
        // A call has one token, so a second note is the same.
        let _ = self.caller.set(user_id);
    }

    /// Who is calling, where a valid access token said so.
    #[must_use]
    pub fn caller(&self) -> Option<Id> {
        self.caller.get().copied()
    }

    /// A path parameter that the route names; empty where it does not.
    #[must_use]
    pub fn path(&self, name: &str) -> &str {
        self.path_parameters.first(name).unwrap_or_default()
    }

    /// A header's value, as it came; of several the first.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    /// The access token of `Authorization: Bearer …` (RFC 6750).
    #[must_use]
    pub fn bearer_token(&self) -> Option<&str> {
        headers::bearer_token(&self.headers)
    }

    /// The values of all cookies of this name, in the order in which they came.
    pub fn cookies<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        headers::cookies(&self.headers, name)
    }

    /// The body as a form. A route with a body has no query parameters: each that came is an error of the form.
    ///
    /// # Errors
    /// `unsupported-media-type`, `body-too-large`, `malformed-request`.
    pub fn form(&self) -> Result<Form, Problem> {
        match self.json()? {
            Value::Object(object) => {
                self.query_is_read.store(true, Ordering::Relaxed);
                Ok(Form::of_body(object, &self.query))
            }
            _ => Err(Problem::MalformedRequest),
        }
    }

    /// The body as JSON: the one way to a body. What is not said to be JSON is not read: a form of another site can
    /// send any text, but `application/json` only with this site's consent (CORS).
    ///
    /// # Errors
    /// `unsupported-media-type`, `body-too-large`, `malformed-request`.
    pub(super) fn json(&self) -> Result<Value, Problem> {
        if !headers::is_json(&self.headers) {
            return Err(Problem::UnsupportedMediaType);
        }
        if self.body.len() > LARGEST_BODY {
            return Err(Problem::BodyTooLarge);
        }
        json::read(&self.body).map_err(|_| Problem::MalformedRequest)
    }

    /// The query as a form of texts.
    #[must_use]
    pub fn query(&self) -> Form {
        self.query_is_read.store(true, Ordering::Relaxed);
        let mut form = Form::of_query(&self.query);
        if self.takes_links.load(Ordering::Relaxed) {
            // What it opens was asked before; given twice, it is refused like any parameter.
            form.optional(FileLinks::PARAMETER, |_| Ok(()));
        }
        form
    }

    /// The link of a file in the query, to a route that takes such; one that is empty, or given twice, is none.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.takes_links.store(true, Ordering::Relaxed);
        match self.query.all(FileLinks::PARAMETER)?[..] {
            [link] if !link.is_empty() => Some(link),
            _ => None,
        }
    }

    /// All parameters of the query but the link.
    #[must_use]
    pub fn parameters_beside_link(&self) -> Vec<(&str, String)> {
        let beside = self.query.iter().filter(|(name, _)| *name != FileLinks::PARAMETER);
        beside.map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// Refuses every query parameter, unless the route has read them: for a route that has neither parameters nor a
    /// body, right before it does what it is for. [`serve`](super::serve) asks the same of every answer to a GET.
    ///
    /// # Errors
    /// `invalid-input` with each parameter.
    pub fn refuse_unread_query(&self) -> Result<(), Problem> {
        if self.query_is_read.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.query().finish(())
    }

    /// Whether the call only reads: its method is GET.
    pub(crate) fn only_reads(&self) -> bool {
        self.route.starts_with("GET ")
    }
}

/// A browser's name as evidence keeps it. People read it beside other text, so what is no text shows as U+FFFD.
fn user_agent(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let fit = |character| if is_unfit(character) { char::REPLACEMENT_CHARACTER } else { character };
    let mut kept = String::new();
    for character in text.chars().map(fit) {
        if kept.len() + character.len_utf8() > LONGEST_USER_AGENT {
            break;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn a_browser_is_kept_as_far_as_its_name_is_text() {
        let kept = |name: &[u8]| {
            let mut request = Request::default();
            request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_bytes(name).unwrap());
            Call::new(request, &Edge::default(), Timestamp::UNIX_EPOCH).user_agent.unwrap()
        };
        assert_eq!(kept("Évil/1.0".as_bytes()), "Évil/1.0");
        assert_eq!(kept(b"\xff/1.0"), "\u{fffd}/1.0");
        assert_eq!(kept("\u{202e}a".as_bytes()), "\u{fffd}a", "nothing turns what is read beside it");
        assert_eq!(kept("é".repeat(600).as_bytes()), "é".repeat(128));
        assert_eq!(kept(format!("x{}", "é".repeat(600)).as_bytes()).len(), 255, "no character is cut in two");
        assert_eq!(kept(&[0xff; 600]), "\u{fffd}".repeat(85), "what replaces a byte counts as it is kept");
    }
}

//! The HTTP API's event (payload format 2.0), made fit for `lambda_http`.
//!
//! `lambda_http` 1.3 and `aws_lambda_events` 1.2 take an event whole or not at all: one header value or name that
//! `http`'s types refuse fails the invocation, which the gateway answers with 500; a cookie of another site with a
//! control character in it loses all cookies; `cookies` replaces a `cookie` header; an invalid `Host` or a body that is
//! no base64 panics. Nobody who fills one header decides over the others here.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::HeaderName;
use serde_json::{Map, Value, json};

/// The caller's to choose, and what `lambda_http` would build a URL from; nothing in the portal may depend on them.
const IGNORED: [&str; 4] = ["host", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"];

/// Reads an event of the HTTP API as a request.
///
/// # Errors
/// Where it is no such event.
pub(crate) fn read_request(mut event: Value) -> serde_json::Result<ApiGatewayV2httpRequest> {
    if let Some(event) = event.as_object_mut() {
        let headers = headers(event.remove("headers"), event.remove("cookies"));
        event.insert("headers".to_owned(), json!(headers));
        if event.get("isBase64Encoded") == Some(&Value::Bool(true)) && !is_base64(event.get("body")) {
            event.insert("isBase64Encoded".to_owned(), Value::Bool(false));
        }
    }
    let mut request: ApiGatewayV2httpRequest = serde_json::from_value(event)?;
    request.request_context.domain_name = None;
    // As parameters, for the same reason.
    if let Some(query) = request.raw_query_string.take() {
        request.query_string_parameters = query.parse().unwrap_or_else(|never| match never {});
    }
    // The route key names the route; the URL's path is only for the log.
    if request.raw_path.as_deref().is_none_or(|path| !path.starts_with('/')) {
        request.raw_path = Some("/".to_owned());
    }
    Ok(request)
}

/// All values of each header. Cookies come in a field of their own, as a header, or both.
fn headers(headers: Option<Value>, cookies: Option<Value>) -> BTreeMap<String, Vec<String>> {
    let named = match headers {
        Some(Value::Object(headers)) => headers,
        _ => Map::new(),
    };
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in named.into_iter().chain(cookies.map(|cookies| ("cookie".to_owned(), cookies))) {
        let name = name.to_ascii_lowercase();
        if HeaderName::from_bytes(name.as_bytes()).is_ok() && !IGNORED.contains(&name.as_str()) {
            all.entry(name).or_default().extend(texts(value).map(fit));
        }
    }
    all
}

/// The one text that a value is, or those that it lists.
fn texts(value: Value) -> impl Iterator<Item = String> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    values.into_iter().filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A value that `HeaderValue` takes. What it refuses is replaced, not left out: whoever reads that header shall see
/// that it is no good.
fn fit(text: String) -> String {
    let is_refused = |character: char| character.is_ascii_control() && character != '\t';
    if text.contains(is_refused) { text.replace(is_refused, "\u{fffd}") } else { text }
}

fn is_base64(body: Option<&Value>) -> bool {
    body.and_then(Value::as_str).is_none_or(|body| STANDARD.decode(body).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: Value) -> ApiGatewayV2httpRequest {
        let mut event = json!({
            "version": "2.0", "routeKey": "GET /api/home", "rawPath": "/api/home", "rawQueryString": "",
            "headers": {"accept": "application/json"},
            "requestContext": {"http": {"method": "GET", "path": "/api/home", "sourceIp": "192.0.2.1"}},
            "isBase64Encoded": false,
        });
        for (name, value) in changes.as_object().unwrap() {
            event[name] = value.clone();
        }
        read_request(event).unwrap()
    }

    fn values(request: &ApiGatewayV2httpRequest, name: &str) -> Vec<String> {
        let values = request.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn cookies_come_in_either_form_or_in_both() {
        let array = json!({"cookies": ["a=1", "b=é"]});
        let header = json!({"headers": {"Cookie": "a=1; b=é"}});
        let both = json!({"cookies": ["a=1"], "headers": {"cookie": ["b=é", "c=2"]}});
        assert_eq!(values(&read(array), "cookie"), ["a=1", "b=é"]);
        assert_eq!(values(&read(header), "cookie"), ["a=1; b=é"]);
        assert_eq!(values(&read(both), "cookie"), ["b=é", "c=2", "a=1"]);
        for none in [json!({"cookies": null}), json!({"cookies": [null, 1]}), json!({"headers": null})] {
            assert!(values(&read(none), "cookie").is_empty());
        }
    }

    #[test]
    fn what_a_header_may_not_hold_costs_itself_alone() {
        let request = read(json!({
            "cookies": ["theirs=\u{1}\u{7f}", "ours=1"],
            "headers": {
                "user-agent": "a\u{0}b", "x-é": "1", "": "2", "x y": "3", "x-number": 4, "x-none": null,
                "Accept": "text/html", "accept": "*/*", "x-tab": "a\tb", "host": "\u{0}", "idempotency-key": "k\n",
            },
        }));
        assert_eq!(values(&request, "cookie"), ["theirs=\u{fffd}\u{fffd}", "ours=1"]);
        assert_eq!(values(&request, "user-agent"), ["a\u{fffd}b"]);
        assert_eq!(values(&request, "idempotency-key"), ["k\u{fffd}"], "refused by who reads it, not ignored");
        assert_eq!(values(&request, "accept").len(), 2);
        assert_eq!(values(&request, "x-tab"), ["a\tb"]);
        for dropped in ["host", "x-number", "x-none"] {
            assert!(values(&request, dropped).is_empty(), "{dropped}");
        }
    }

    #[test]
    fn a_body_that_is_no_base64_is_taken_as_it_is() {
        assert!(!read(json!({"body": "{\"a\": \"é\"}", "isBase64Encoded": true})).is_base64_encoded);
        assert!(read(json!({"body": "e30=", "isBase64Encoded": true})).is_base64_encoded);
    }
}

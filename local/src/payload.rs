//! Payload format 2.0: an HTTP request as the event that the HTTP API makes of it, and a function's
//! answer as the HTTP response that it makes of that.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::names::ACCOUNT;
use crate::routes::Found;

/// What an event says besides the request itself.
pub(crate) struct Context<'a> {
    pub(crate) found: &'a Found<'a>,
    /// The URL-decoded path.
    pub(crate) path: &'a str,
    pub(crate) peer: IpAddr,
    pub(crate) now: Timestamp,
    pub(crate) request_id: &'a str,
}

/// The event of a request.
pub(crate) fn event(parts: &Parts, body: &Bytes, context: &Context<'_>) -> Value {
    let route_key = context.found.route.key.to_string();
    let query = parts.uri.query().unwrap_or_default();
    let mut headers = joined_headers(&parts.headers);
    // Cookies have a field of their own.
    let cookies = headers.remove("cookie");
    headers
        .entry("x-forwarded-for".to_owned())
        .and_modify(|known| *known = format!("{known}, {}", context.peer))
        .or_insert_with(|| context.peer.to_string());
    let host = headers.get("host").cloned().unwrap_or_default();
    let user_agent = headers.get("user-agent").cloned().unwrap_or_default();

    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": context.path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next(),
            "http": {
                "method": parts.method.as_str(),
                "path": context.path,
                "protocol": if parts.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
                "sourceIp": context.peer.to_string(),
                "userAgent": user_agent,
            },
            "requestId": context.request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": context.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": context.now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if let Some(cookies) = cookies {
        event["cookies"] = cookies
            .split(';')
            .map(|cookie| cookie.trim_matches([' ', '\t']))
            .filter(|cookie| !cookie.is_empty())
            .collect();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = query_parameters(query);
    }
    if !context.found.parameters.is_empty() {
        event["pathParameters"] = json!(context.found.parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if is_text(&parts.headers) => event["body"] = text.into(),
            _ => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Lower-case names; the values of one name joined with commas.
fn joined_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|known| {
                // Cookies are told apart by `;` only.
                known.push(if *name == header::COOKIE { ';' } else { ',' });
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined
}

/// Which bodies the HTTP API leaves as they are; everything else travels as base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = String::from_utf8_lossy(kind.as_bytes()).to_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") || matches!(kind, "application/json" | "application/xml" | "application/javascript")
}

/// Decoded, and the values of one name joined with commas.
fn query_parameters(query: &str) -> Value {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")));
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(known) => format!("{known},{value}"),
            None => value,
        };
        parameters.insert(name, joined.into());
    }
    Value::Object(parameters)
}

/// Percent-decodes; what is no valid escape stays as it is, and what is no UTF-8 is replaced.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are at most 255.
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(u8::MAX));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The HTTP response of a function's answer; `None` where the answer makes no sense, which the HTTP API
/// tells the client as an internal error.
pub(crate) fn response(answer: &Value) -> Option<Response<Body>> {
    // Without a status the whole answer is the body.
    let Some(status) = answer.get("statusCode") else {
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        let json = HeaderValue::from_static("application/json");
        return Response::builder().header(header::CONTENT_TYPE, json).body(Body::from(body)).ok();
    };
    let status = status.as_u64().and_then(|code| u16::try_from(code).ok())?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).ok().filter(|code| (200..600).contains(&code.as_u16()))?;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        headers.append(HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value).ok()?);
    }
    // Payload 2.0 has no such field, but libraries write it; a name that stands in both is meant once.
    for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        if !headers.contains_key(&name) {
            for value in values.as_array().into_iter().flatten().filter_map(Value::as_str) {
                headers.append(&name, HeaderValue::try_from(value).ok()?);
            }
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).ok()?);
    }
    if let Some(body) = answer["body"].as_str() {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.entry(header::CONTENT_TYPE).or_insert(plain);
        *response.body_mut() = if answer["isBase64Encoded"] == true {
            Body::from(STANDARD.decode(body).ok()?)
        } else {
            Body::from(body.to_owned())
        };
    }
    Some(response)
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;

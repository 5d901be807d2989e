//! Requests to the functions that a form reaches without a store, the way they come in: as the gateway's
//! event. What `Form` and `Call` do there, they do in every function.
//!
//! ```text
//! POST /api/signup/check?a=b
//! accept-language: en
//!
//! {"siret": "…"}
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal::clock::Clock;
use portal::environment::{Environment, http_client};
use portal::lambda::{Context, Invoke, start_http};
use portal::log::Log;
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

/// Chosen by the caller, and no part of the answer may depend on them.
const INDIFFERENT: [&str; 6] =
    ["forwarded", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"];

/// The answers that these routes have for a request, whatever it holds.
const STATUSES: [u64; 6] = [200, 400, 404, 413, 415, 422];

static PORTAL: LazyLock<Portal> = LazyLock::new(Portal::start);

/// Any request gets an answer of the contract; `Host` and `X-Forwarded-*` change nothing about it; and a
/// draft that was accepted is understood the same when it comes back.
pub fn request(bytes: &[u8]) {
    let Some(asked) = Asked::read(bytes) else { return };
    let answer = PORTAL.answer(&asked);
    let status = answer["statusCode"].as_u64().expect("a status");
    assert!(STATUSES.contains(&status), "{answer}");
    let body = body_of(&answer);
    assert_eq!(body["type"].is_string(), status != 200, "a problem, or none: {answer}");

    let plain = asked.without(&INDIFFERENT);
    assert_eq!(PORTAL.answer(&plain), answer, "the answer depends on one of {INDIFFERENT:?}");

    if status == 200 && asked.route == "POST /api/signup/check" {
        let mut again = body.clone();
        again["email_confirmation"] = again["email"].clone();
        let again = Asked { body: again.to_string().into_bytes(), ..asked };
        assert_eq!(body_of(&PORTAL.answer(&again)), body, "a draft that is read twice is another");
    }
}

/// A request, as far as the gateway hands it on.
#[derive(Clone)]
struct Asked {
    route: &'static str,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Asked {
    /// Reads the form above; `None` for what no gateway would let through.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
            Some(end) => (&bytes[..end], &bytes[end + 2..]),
            None => (bytes, &b""[..]),
        };
        let mut lines = std::str::from_utf8(head).ok()?.lines();
        let (target, query) = lines.next().map(|line| line.split_once('?').unwrap_or((line, "")))?;
        let route = match target {
            "GET /api/health" => "GET /api/health",
            "POST /api/password/strength" => "POST /api/password/strength",
            "POST /api/signup/check" => "POST /api/signup/check",
            _ => "$default",
        };
        let mut headers = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name || value.chars().any(char::is_control) {
                return None;
            }
            headers.insert(name, value.to_owned());
        }
        Some(Self { route, query: query.to_owned(), headers, body: body.to_vec() })
    }

    fn without(&self, names: &[&str]) -> Self {
        let mut plain = self.clone();
        plain.headers.retain(|name, _| !names.contains(&name.as_str()));
        plain
    }

    /// Payload format 2.0.
    fn event(&self) -> Value {
        let mut headers: Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if !self.body.is_empty() {
            headers.entry("content-type").or_insert_with(|| json!("application/json"));
        }
        let cookies = headers.remove("cookie");
        let (method, path) = self.route.split_once(' ').unwrap_or(("GET", "/elsewhere"));
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route,
            "rawPath": path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "fuzz",
                "domainName": self.headers.get("host"),
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                    "userAgent": self.headers.get("user-agent"),
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": self.route,
                "stage": "$default",
                "time": "23/Nov/2026:09:15:00 +0000",
                "timeEpoch": 1_795_425_300_000_u64,
            },
            "isBase64Encoded": false,
        });
        if let Some(Value::String(cookies)) = cookies {
            event["cookies"] = cookies.split(';').map(str::trim).collect();
        }
        if !self.body.is_empty() {
            match std::str::from_utf8(&self.body) {
                Ok(text) => event["body"] = json!(text),
                Err(_) => {
                    event["body"] = json!(STANDARD.encode(&self.body));
                    event["isBase64Encoded"] = json!(true);
                }
            }
        }
        event
    }
}

fn body_of(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().expect("a text")).expect("JSON")
}

/// The functions, started as in Lambda; their store is never asked.
struct Portal {
    health: Invoke,
    not_found: Invoke,
    password: Invoke,
    signup: Invoke,
}

impl Portal {
    fn start() -> Self {
        let variables = [
            ("AWS_REGION", "eu-west-3"),
            ("AWS_ACCESS_KEY_ID", "none"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("IDENTITY_TABLE", "identity"),
            ("MEMBERS_TABLE", "members"),
            ("EVIDENCE_TABLE", "evidence"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let environment = Environment::new(variables, Clock::system(), Log::to(|_| {}), http_client());
        block_on(async {
            Self {
                health: start_http::<health::Function>(&environment).await.expect("health"),
                not_found: start_http::<not_found::Function>(&environment).await.expect("not-found"),
                password: start_http::<create_password::Function>(&environment).await.expect("create-password"),
                signup: start_http::<signup::Function>(&environment).await.expect("signup"),
            }
        })
    }

    fn answer(&self, asked: &Asked) -> Value {
        let function = match asked.route {
            "GET /api/health" => &self.health,
            "POST /api/password/strength" => &self.password,
            "POST /api/signup/check" => &self.signup,
            _ => &self.not_found,
        };
        block_on(function(asked.event(), Context::default())).expect("an answer")
    }
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

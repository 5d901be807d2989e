//! `cargo run -- invoke staff event.json`: an event for a function of a portal that is running.

use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::cli::Invocation;

/// The function's answer, as one line of JSON.
pub(crate) async fn invoke(invocation: &Invocation) -> Result<String, String> {
    let Invocation { function, event, portal } = invocation;
    call(function, &read(event)?, portal).await.map(|answer| answer.to_string())
}

/// Hands an event to a function of the portal at an address, and gives its answer.
pub(crate) async fn call(function: &str, event: &Value, portal: &str) -> Result<Value, String> {
    let origin = portal.trim_end_matches('/');
    let url = format!("{origin}/_local/lambda/2015-03-31/functions/{function}/invocations");
    // Whatever stands between this machine and the world stands not between it and itself.
    let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
    let request = client.post(url).header("content-type", "application/json").body(event.to_string());
    let response = request.send().await.map_err(|error| unanswered(origin, &error))?;
    let (status, failed) = (response.status(), response.headers().contains_key("x-amz-function-error"));
    let text = response.text().await.map_err(|error| unanswered(origin, &error))?;
    let no_portal = || format!("{origin} answers {status}, and not as a portal does");
    let answer: Value = serde_json::from_str(&text).map_err(|_| no_portal())?;
    let told = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    if !status.is_success() {
        return Err(if answer["Message"].is_string() { told("Message") } else { no_portal() });
    }
    if failed {
        return Err(told("errorMessage"));
    }
    match &answer["error"] {
        Value::Object(error) => {
            let [code, field, message] =
                ["code", "field", "message"].map(|name| error.get(name).and_then(Value::as_str));
            let [code, field, message] = [code, field, message].map(Option::unwrap_or_default);
            Err(format!("{function} refuses {field} ({code}): {message}"))
        }
        _ => Ok(answer),
    }
}

/// The event of a file, or of standard input.
fn read(path: &Path) -> Result<Value, String> {
    let mut bytes = Vec::new();
    let (name, read) = if path == Path::new("-") {
        ("standard input".to_owned(), io::stdin().read_to_end(&mut bytes).map(drop))
    } else {
        (path.display().to_string(), std::fs::read(path).map(|read| bytes = read))
    };
    read.map_err(|error| format!("{name} cannot be read: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{name} is not JSON: {error}"))
}

fn unanswered(origin: &str, error: &reqwest::Error) -> String {
    if error.is_builder() {
        return format!("{origin} is no address of a portal: it is like http://localhost:8080");
    }
    format!("no portal answers at {origin}: start one with `cargo run`, or name another with --portal")
}

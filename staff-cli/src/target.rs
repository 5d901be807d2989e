//! Where the function is: on this machine behind Lambda's own API, or in AWS behind the AWS CLI, which knows every
//! kind of profile (single sign-on, roles, second factors) and is what operators have
//! (`docs/decisions/0066-the-staffs-command-line.md`).

use std::process::Stdio;

use serde_json::{Deserializer, Value};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::cli::Common;

/// Why there is no answer, and the next step.
pub(crate) struct Unreached(pub(crate) String);

/// Where the function is.
pub(crate) enum Target {
    Here { origin: String },
    Aws { function: String, profile: Option<String>, region: Option<String> },
}

impl Target {
    pub(crate) fn of(common: &Common) -> Result<Self, String> {
        if let Some(function) = &common.function {
            // Else the AWS CLI would take it for an option of its own.
            let words = [Some(function), common.profile.as_ref(), common.region.as_ref()];
            if words.into_iter().flatten().any(|word| word.is_empty() || word.starts_with('-')) {
                return Err("--function, --profile and --region want a name".to_owned());
            }
            let (profile, region) = (common.profile.clone(), common.region.clone());
            return Ok(Self::Aws { function: function.clone(), profile, region });
        }
        let origin = common.endpoint.trim_end_matches('/').to_owned();
        if !origin.starts_with("http://") {
            return Err(format!("{origin} is no portal on this machine: it is like http://localhost:8080"));
        }
        Ok(Self::Here { origin })
    }

    /// Hands the function an event, and gives its answer.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value, Unreached> {
        match self {
            Self::Here { origin } => here(origin, event).await,
            Self::Aws { function, profile, region } => {
                aws(function, profile.as_deref(), region.as_deref(), event).await
            }
        }
    }
}

async fn here(origin: &str, event: &Value) -> Result<Value, Unreached> {
    let unanswered = || {
        Unreached(format!(
            "no portal answers at {origin}: start one with `cargo run`, name another with --endpoint, or one in AWS with \
             --function"
        ))
    };
    let url = format!("{origin}/_local/lambda/2015-03-31/functions/staff/invocations");
    // Whatever stands between this machine and the world stands not between it and itself.
    let client = reqwest::Client::builder().no_proxy().build().map_err(|_| unanswered())?;
    let request = client.post(url).header("content-type", "application/json").body(event.to_string());
    let response = request.send().await.map_err(|_| unanswered())?;
    let (status, failed) = (response.status(), response.headers().contains_key("x-amz-function-error"));
    let text = response.text().await.map_err(|_| unanswered())?;
    let answer = serde_json::from_str::<Value>(&text).ok().filter(|_| status.is_success());
    let answer = answer
        .ok_or_else(|| Unreached(format!("{origin} answers {status}, and not as a portal does: check --endpoint")))?;
    if failed { Err(failure(&answer)) } else { Ok(answer) }
}

/// The AWS CLI reads the event from its standard input and writes two values: the function's answer, then what it
/// says about the invocation. Nothing of a member is in a file or among its arguments.
async fn aws(function: &str, profile: Option<&str>, region: Option<&str>, event: &Value) -> Result<Value, Unreached> {
    let mut command = Command::new("aws");
    command.args(["lambda", "invoke", "--function-name", function, "--output", "json"]);
    for (option, value) in [("--profile", profile), ("--region", region)] {
        command.args(value.into_iter().flat_map(|value| [option, value]));
    }
    // `fileb` is taken as it is by version 1 and by version 2.
    command.args(["--payload", "fileb:///dev/stdin", "/dev/stdout"]);
    command.env("AWS_PAGER", "");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        Unreached(format!("the AWS CLI does not start ({error}): install it, and see that `aws --version` answers"))
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ended before it read says why on its standard error.
        let _ = stdin.write_all(event.to_string().as_bytes()).await;
    }
    let output =
        child.wait_with_output().await.map_err(|error| Unreached(format!("the AWS CLI ended badly: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        return Err(Unreached(format!(
            "the AWS CLI did not invoke {function}: {said}\nIs the profile signed in, may it invoke the function \
             (docs/operations.md), and is the name the stack's output StaffFunctionName?"
        )));
    }
    let mut values = Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let (Some(Ok(answer)), about) = (values.next(), values.next()) else {
        return Err(Unreached("the AWS CLI gave no answer of the function: try again".to_owned()));
    };
    let failed = about.is_some_and(|about| about.is_ok_and(|about| about.get("FunctionError").is_some()));
    if failed { Err(failure(&answer)) } else { Ok(answer) }
}

/// The function ran and could not finish.
fn failure(answer: &Value) -> Unreached {
    let said = answer["errorMessage"].as_str().unwrap_or("no reason was given");
    Unreached(format!("the function could not finish ({said}): look the matter up, and repeat if it is not done"))
}

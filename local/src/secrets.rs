//! Secrets Manager: the calls that the functions make, with a file for each secret.
//!
//! A secret keeps its current and its previous version, as the service does; a version's id is the
//! token of the request that wrote it, so that a repeated request changes nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::{read_if_there, write_whole};
use crate::deployment::Secret;
use crate::generate;
use crate::names::secret_arn;

/// All secrets.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<Inner>);

struct Inner {
    folder: Option<PathBuf>,
    secrets: Mutex<BTreeMap<String, Versions>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Versions {
    current: Version,
    previous: Option<Version>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    id: String,
    value: String,
}

/// An error as the service names it.
struct Refusal(&'static str, String);

impl Secrets {
    /// Opens the secrets of the templates, generating those that are not there yet.
    pub(crate) fn open(folder: Option<PathBuf>, secrets: &[Secret]) -> io::Result<Self> {
        let mut opened = BTreeMap::new();
        for secret in secrets {
            let path = folder.as_ref().map(|folder| folder.join(format!("{}.json", secret.name)));
            let known = path.as_deref().map(read_if_there).transpose()?.flatten();
            let invalid = |problem: String| {
                io::Error::new(io::ErrorKind::InvalidData, format!("secret {}: {problem}", secret.name))
            };
            let versions = match known {
                Some(known) => serde_json::from_slice(&known).map_err(|error| invalid(error.to_string()))?,
                None => {
                    let value = match &secret.value {
                        Some(value) => value.clone(),
                        None => generate::secret(&secret.generator).map_err(invalid)?,
                    };
                    let versions = Versions { current: Version { id: crate::ids::hex(), value }, previous: None };
                    if let Some(path) = &path {
                        write_whole(path, &serde_json::to_vec(&versions)?)?;
                    }
                    versions
                }
            };
            opened.insert(secret.name.clone(), versions);
        }
        Ok(Self(Arc::new(Inner { folder, secrets: Mutex::new(opened) })))
    }

    /// The endpoint.
    pub(crate) fn router(self) -> Router {
        Router::new().route("/", post(handle)).with_state(self)
    }

    fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        let id = request["SecretId"].as_str().ok_or_else(|| invalid("SecretId is missing"))?;
        let name = id.rsplit_once(":secret:").map_or(id, |(_, name)| name);
        let mut secrets = self.0.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = secrets.get_mut(name).ok_or_else(|| {
            Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.".to_owned())
        })?;
        let mut answer = json!({"Name": name, "ARN": secret_arn(name)});
        match operation {
            "GetSecretValue" => {
                let (version, stage) = versions.select(request)?;
                answer["SecretString"] = version.value.as_str().into();
                answer["VersionId"] = version.id.as_str().into();
                answer["VersionStages"] = json!([stage]);
            }
            "PutSecretValue" => {
                let value = request["SecretString"].as_str().ok_or_else(|| invalid("SecretString is missing"))?;
                let token = request["ClientRequestToken"].as_str().map_or_else(crate::ids::hex, str::to_owned);
                let version = Version { id: token, value: value.to_owned() };
                let known = [Some(&versions.current), versions.previous.as_ref()];
                let same =
                    known.into_iter().flatten().find(|known| known.id == version.id).map(|known| *known == version);
                if same == Some(false) {
                    let message = "a version with this token has another value".to_owned();
                    return Err(Refusal("ResourceExistsException", message));
                }
                if same.is_none() {
                    let changed = Versions { previous: Some(versions.current.clone()), current: version.clone() };
                    self.write(name, &changed)?;
                    *versions = changed;
                }
                answer["VersionId"] = version.id.into();
                answer["VersionStages"] = json!(["AWSCURRENT"]);
            }
            "DescribeSecret" => {
                let mut stages = json!({});
                stages[&versions.current.id] = json!(["AWSCURRENT"]);
                if let Some(previous) = &versions.previous {
                    stages[&previous.id] = json!(["AWSPREVIOUS"]);
                }
                answer["VersionIdsToStages"] = stages;
            }
            other => return Err(Refusal("InvalidRequestException", format!("{other} is not known here"))),
        }
        Ok(answer)
    }

    fn write(&self, name: &str, versions: &Versions) -> Result<(), Refusal> {
        let Some(folder) = &self.0.folder else { return Ok(()) };
        let written = serde_json::to_vec(versions)
            .map_err(io::Error::from)
            .and_then(|content| write_whole(&folder.join(format!("{name}.json")), &content));
        written.map_err(|error| Refusal("InternalServiceError", error.to_string()))
    }
}

impl Versions {
    fn select(&self, request: &Value) -> Result<(&Version, &'static str), Refusal> {
        let previous = self.previous.as_ref().map(|version| (version, "AWSPREVIOUS"));
        let mut known = [Some((&self.current, "AWSCURRENT")), previous].into_iter().flatten();
        let wanted = (request["VersionId"].as_str(), request["VersionStage"].as_str());
        known
            .find(|(version, stage)| match wanted {
                (None, None) => *stage == "AWSCURRENT",
                (id, wanted) => id.is_none_or(|id| id == version.id) && wanted.is_none_or(|wanted| wanted == *stage),
            })
            .ok_or_else(|| Refusal("ResourceNotFoundException", "there is no such version".to_owned()))
    }
}

fn invalid(problem: &str) -> Refusal {
    Refusal("InvalidParameterException", problem.to_owned())
}

async fn handle(State(secrets): State<Secrets>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("secretsmanager.").unwrap_or(target);
    let answer = serde_json::from_slice(&body)
        .map_err(|_| invalid("the request is not JSON"))
        .and_then(|request| secrets.answer(operation, &request));
    let (status, answer) = match answer {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refusal(kind @ "InternalServiceError", message)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, json!({"__type": kind, "Message": message}))
        }
        Err(Refusal(kind, message)) => (StatusCode::BAD_REQUEST, json!({"__type": kind, "Message": message})),
    };
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer.to_string()).into_response()
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;

//! What a policy has to allow for a request, as IAM sees it.

use std::collections::BTreeSet;

use http::{Method, StatusCode, Uri};
use local::Service;
use serde_json::{Map, Value};

use crate::proxy::Passing;

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Such as `dynamodb:GetItem`; those of a transaction are the actions of its parts.
    pub action: String,
    /// The end of its ARN: `LedgerTable`, `LedgerTable/index/by_view`, `export-bucket/ledgers/1.csv`, `CursorKey`.
    pub resource: String,
    /// The kind of the partition, such as `ACCOUNT#`, where one item or one partition of a table is asked for.
    pub leading_key: Option<String>,
}

impl Use {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), leading_key: None }
    }
}

/// What a request needs that was answered so.
pub(crate) fn of(passing: &Passing, answered: StatusCode) -> BTreeSet<Use> {
    let body = || serde_json::from_slice::<Value>(&passing.body).expect("a body in JSON");
    match passing.service {
        Service::DynamoDb => on_tables(&passing.operation, &body()),
        Service::SecretsManager => {
            let arn = body()["SecretId"].as_str().expect("a secret").to_owned();
            let secret = arn.rsplit(':').next().unwrap_or_default();
            BTreeSet::from([Use::new(format!("secretsmanager:{}", passing.operation), secret)])
        }
        Service::Ses => on_mails(passing.asks().1, &body()),
        Service::S3 => {
            let (method, uri) = passing.asks();
            on_objects(method, uri, answered)
        }
    }
}

/// Of a transaction it is the actions of its parts, of a batch its own action on each table.
fn on_tables(operation: &str, request: &Value) -> BTreeSet<Use> {
    let one = |action: &str, of: &Value| {
        let table = of["TableName"].as_str().expect("a table");
        let index = of["IndexName"].as_str().map(|index| format!("/index/{index}"));
        let resource = format!("{table}{}", index.unwrap_or_default());
        Use { leading_key: leading_key(of), ..Use::new(format!("dynamodb:{action}"), resource) }
    };
    let parts = || request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    match operation {
        "TransactWriteItems" | "TransactGetItems" => parts()
            .map(|(part, of)| match part.as_str() {
                "ConditionCheck" => one("ConditionCheckItem", of),
                part => one(&format!("{part}Item"), of),
            })
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flat_map(Map::keys);
            tables.map(|table| Use::new(format!("dynamodb:{operation}"), table.as_str())).collect()
        }
        operation => BTreeSet::from([one(operation, request)]),
    }
}

/// The partition key of a write, a check or a read of one item, or of a query, up to its first `#`: of a query it is the
/// text that its condition compares `pk` with.
fn leading_key(of: &Value) -> Option<String> {
    let condition = of["KeyConditionExpression"].as_str();
    let compared = condition.and_then(|condition| condition.split_whitespace().nth(2));
    let of_query = compared.map(|value| &of["ExpressionAttributeValues"][value]);
    let key = [of_query, Some(&of["Item"]["pk"]), Some(&of["Key"]["pk"])];
    let key = key.into_iter().flatten().find_map(|key| key["S"].as_str())?;
    Some(key.split_inclusive('#').next().unwrap_or_default().to_owned())
}

/// A mail needs its sender's identity, and the configuration set that it names.
fn on_mails(uri: &Uri, request: &Value) -> BTreeSet<Use> {
    assert_eq!(uri.path(), "/v2/email/outbound-emails", "what else of SES is called needs its action here");
    let set = request["ConfigurationSetName"].as_str().expect("a configuration set");
    BTreeSet::from([Use::new("ses:SendEmail", "MailIdentity"), Use::new("ses:SendEmail", set)])
}

/// Pieces of an object, their beginning and their end need what putting it whole does.
fn on_objects(method: &Method, uri: &Uri, answered: StatusCode) -> BTreeSet<Use> {
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let mut query = uri.query().unwrap_or_default().split('&');
    let action = match (method.as_str(), key.is_empty()) {
        ("GET", true) => return BTreeSet::from([Use::new("s3:ListBucket", bucket)]),
        ("GET" | "HEAD", false) => "s3:GetObject",
        ("PUT" | "POST", false) => "s3:PutObject",
        ("DELETE", false) if query.any(|pair| pair.starts_with("uploadId=")) => "s3:AbortMultipartUpload",
        ("DELETE", false) => "s3:DeleteObject",
        _ => panic!("{method} {uri}: which action is it?"),
    };
    // Who may not list is not told that an object is missing: S3 answers 403.
    let missing = (answered == StatusCode::NOT_FOUND).then(|| Use::new("s3:ListBucket", bucket));
    BTreeSet::from_iter(missing.into_iter().chain([Use::new(action, path)]))
}

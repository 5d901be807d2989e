//! The connection to DynamoDB, opened while a function starts, so that the first request does not wait for it.

use std::time::Duration;

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};

use super::Table;
use crate::aws;
use crate::environment::Environment;
use crate::log::{Level, Line};

/// Init has ten seconds, and a function that cannot reach DynamoDB now may reach it later.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the connection where the function has tables, and waits for it: a function is frozen after Init, and a
/// handshake would be frozen in the middle.
///
/// It asks for `DescribeEndpoints`, which reads nothing, costs nothing and needs no permission: DynamoDB skips
/// authorization for it on its public endpoints, whatever a role's policies say. No other call of the portal asks
/// for it. Whatever DynamoDB answers, the connection is open; where it does not answer the function starts all
/// the same, and the log says why.
pub(crate) async fn open_connection(environment: &Environment, function: &'static str) {
    let all = [Table::Identity, Table::Members, Table::Ledger, Table::Evidence];
    if !all.iter().any(|table| environment.optional(table.variable()).is_some()) {
        return;
    }
    // What the environment lacks is the start's to say.
    let Ok(client) = aws::dynamodb(environment) else { return };
    let why = match tokio::time::timeout(PATIENCE, client.describe_endpoints().send()).await {
        Ok(Ok(_) | Err(SdkError::ServiceError(_))) => return,
        Ok(Err(error)) => DisplayErrorContext(error).to_string(),
        Err(_) => "no answer in time".to_owned(),
    };
    let line = Line::new(function).at_least(Level::Warn).context(&format!("no connection at start: {why}"));
    environment.log.write(line);
}

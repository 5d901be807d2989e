//! AWS clients, built from the environment without `aws-config`.
//!
//! In Lambda region and credentials are variables of the process; `aws-config` would add half the
//! binary to find the same (`docs/decisions/0003-no-aws-config.md`).

use std::time::Duration;

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;

use crate::environment::{Environment, StartError};
use crate::store::Capacity;

/// Three attempts of two seconds end below the ten seconds that an HTTP function has.
const ATTEMPT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_secs(7);
const CONNECT: Duration = Duration::from_millis(1500);

/// How long a client waits: for each attempt, and in all.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// How often a client tries: the SDK's standard three attempts, with its backoff and jitter.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
}

/// The SDK's behaviour is pinned, so that an update of the crate changes nothing silently.
#[must_use]
pub fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Fills in what the configuration of every service's client has in common.
///
/// ```text
/// let config = portal::aws_config!(aws_sdk_sesv2, environment, "SESV2");
/// ```
#[macro_export]
macro_rules! aws_config {
    ($sdk:ident, $environment:expr, $service:literal) => {{
        let environment: &$crate::environment::Environment = $environment;
        let mut config = $sdk::Config::builder()
            .behavior_version($crate::aws::behavior())
            .region($sdk::config::Region::new(environment.region()?))
            .credentials_provider(environment.credentials()?)
            .http_client(environment.http())
            .retry_config($crate::aws::retries())
            .timeout_config($crate::aws::timeouts());
        config.set_endpoint_url(environment.endpoint($service));
        config
    }};
}

/// The same for S3, where an endpoint of one's own has no host name for each bucket.
#[macro_export]
macro_rules! s3_config {
    ($sdk:ident, $environment:expr) => {{
        let is_own = $environment.endpoint("S3").is_some();
        $crate::aws_config!($sdk, $environment, "S3").force_path_style(is_own)
    }};
}

/// The environment's DynamoDB client, whose calls are counted for the request under way. It is made once: a start opens
/// its connection beside what the function does with it.
///
/// # Errors
/// Where the environment lacks region or credentials.
pub fn dynamodb(environment: &Environment) -> Result<aws_sdk_dynamodb::Client, StartError> {
    if let Some(client) = environment.dynamodb.get() {
        return Ok(client.clone());
    }
    let config = aws_config!(aws_sdk_dynamodb, environment, "DYNAMODB");
    let client = aws_sdk_dynamodb::Client::from_conf(config.interceptor(Capacity).build());
    Ok(environment.dynamodb.get_or_init(|| client).clone())
}

/// A Secrets Manager client.
///
/// # Errors
/// Where the environment lacks region or credentials.
pub fn secrets_manager(environment: &Environment) -> Result<aws_sdk_secretsmanager::Client, StartError> {
    let config = aws_config!(aws_sdk_secretsmanager, environment, "SECRETS_MANAGER");
    Ok(aws_sdk_secretsmanager::Client::from_conf(config.build()))
}

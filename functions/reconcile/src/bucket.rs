//! The bucket of the digests: what is written there stays as it is.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_s3::primitives::ByteStream;
use portal::environment::{Environment, StartError};

/// A digest has some megabytes, and nobody waits for it.
const ATTEMPT: Duration = Duration::from_secs(20);
const OPERATION: Duration = Duration::from_secs(60);

/// The bucket did not take a digest; worth trying again.
#[derive(Debug, thiserror::Error)]
#[error("PutObject of {key}: {reason}")]
pub struct BucketError {
    key: String,
    reason: String,
}

/// The bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket that `DIGEST_BUCKET` names.
    ///
    /// # Errors
    /// Where the environment lacks something.
    pub(crate) fn connect(environment: &Environment) -> Result<Self, StartError> {
        let patient = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
        let config = portal::s3_config!(aws_sdk_s3, environment).timeout_config(patient);
        Ok(Self { client: Client::from_conf(config.build()), name: environment.variable("DIGEST_BUCKET")?.to_owned() })
    }

    /// Writes an object where there is none; returns whether there was none. A schedule may start a run twice, and what the
    /// first wrote stands.
    ///
    /// # Errors
    /// Where the bucket does not take it.
    pub(crate) async fn write_once(&self, key: &str, object: Vec<u8>) -> Result<bool, BucketError> {
        let request = self.client.put_object().bucket(&self.name).key(key).if_none_match("*");
        let sent = request.content_type("application/gzip").body(ByteStream::from(object)).send().await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
            Err(error) => Err(BucketError { key: key.to_owned(), reason: DisplayErrorContext(error).to_string() }),
        }
    }
}

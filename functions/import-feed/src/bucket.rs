//! The feed bucket: objects read piece by piece, so that memory does not grow with a file.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use portal::environment::{Environment, StartError};

/// How much is read at once, and so about how much of a file is in memory: some 3,500 lines.
pub const PIECE: u64 = 1024 * 1024;

/// How long the body of a piece may take. The client's own limits end with the answer's headers.
pub(crate) const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// An object of a bucket as it was when it was looked at.
#[derive(Debug, Clone)]
pub struct Object {
    key: String,
    size: u64,
    etag: Option<String>,
}

/// The bucket did not do what it was asked; worth trying again.
#[derive(Debug, thiserror::Error)]
#[error("{operation} of {key}: {reason}")]
pub struct BucketError {
    operation: &'static str,
    key: String,
    reason: String,
}

impl BucketError {
    /// A failure that is none of the SDK's.
    pub fn other(operation: &'static str, key: &str, reason: impl Into<String>) -> Self {
        Self { operation, key: key.to_owned(), reason: reason.into() }
    }

    pub(crate) fn new<E: std::error::Error + 'static>(operation: &'static str, key: &str, error: E) -> Self {
        Self { operation, key: key.to_owned(), reason: DisplayErrorContext(error).to_string() }
    }
}

impl Object {
    /// An object that is no object of a bucket.
    pub fn of(key: impl Into<String>, size: u64) -> Self {
        Self { key: key.into(), size, etag: None }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Bucket {
    /// The bucket that a variable names.
    ///
    /// # Errors
    /// Where the environment lacks something.
    pub fn connect(environment: &Environment, variable: &'static str) -> Result<Self, StartError> {
        let config = portal::s3_config!(aws_sdk_s3, environment);
        Ok(Self { client: Client::from_conf(config.build()), name: environment.variable(variable)?.to_owned() })
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Looks at an object; `None` where there is none.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub async fn find(&self, key: &str) -> Result<Option<Object>, BucketError> {
        let sent = self.client.head_object().bucket(&self.name).key(key).send().await;
        let output = match sent {
            Ok(output) => output,
            Err(SdkError::ServiceError(error))
                if error.err().is_not_found() || error.err().code() == Some("NoSuchKey") =>
            {
                return Ok(None);
            }
            Err(error) => return Err(BucketError::new("HeadObject", key, error)),
        };
        let size = output.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Some(Object { key: key.to_owned(), size, etag: output.e_tag }))
    }

    /// The bytes of an object from `offset` on, as many as are read at once; none at its end.
    ///
    /// # Errors
    /// Where the bucket does not answer, or the object is another by now.
    pub async fn read(&self, object: &Object, offset: u64) -> Result<Vec<u8>, BucketError> {
        if offset >= object.size {
            return Ok(Vec::new());
        }
        let last = (offset + PIECE).min(object.size) - 1;
        let request = self.client.get_object().bucket(&self.name).key(&object.key);
        let read = async {
            let output = request
                .range(format!("bytes={offset}-{last}"))
                .set_if_match(object.etag.clone())
                .send()
                .await
                .map_err(|error| BucketError::new("GetObject", &object.key, error))?;
            let body = output.body.collect().await;
            body.map_err(|error| BucketError::new("GetObject", &object.key, error))
        };
        let failed =
            |reason: &str| BucketError { operation: "GetObject", key: object.key.clone(), reason: reason.to_owned() };
        let body = tokio::time::timeout(PIECE_TIMEOUT, read).await.map_err(|_| failed("timed out"))??.to_vec();
        if body.len() as u64 == last - offset + 1 { Ok(body) } else { Err(failed("a piece of another length")) }
    }

    /// Writes a JSON document.
    ///
    /// # Errors
    /// Where the bucket does not take it.
    pub async fn write_json(&self, key: &str, document: String) -> Result<(), BucketError> {
        let request = self.client.put_object().bucket(&self.name).key(key);
        let sent = request.content_type("application/json").body(ByteStream::from(document.into_bytes())).send().await;
        sent.map(drop).map_err(|error| BucketError::new("PutObject", key, error))
    }
}

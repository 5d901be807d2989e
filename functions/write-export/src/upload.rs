//! The exports bucket: an object that is written piece by piece, and is there when it is whole.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use portal::environment::{Environment, StartError};

/// How much is sent at once, and so about how much of a file is in memory. S3 takes no less than 5 MiB, and 10,000
/// of them: 80 GB.
const PIECE: usize = 8 * 1024 * 1024;

/// A piece is no answer that somebody waits for.
const ATTEMPT: Duration = Duration::from_secs(60);
const OPERATION: Duration = Duration::from_secs(200);

/// The bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

/// The bucket did not do what it was asked; worth trying again.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {reason}")]
pub struct UploadError {
    operation: &'static str,
    reason: String,
}

impl UploadError {
    fn new<E: std::error::Error + 'static>(operation: &'static str, error: E) -> Self {
        Self { operation, reason: DisplayErrorContext(error).to_string() }
    }
}

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct Upload {
    bucket: Bucket,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
    piece: Vec<u8>,
    sent: u64,
}

impl Bucket {
    /// The bucket that `EXPORT_BUCKET` names.
    ///
    /// # Errors
    /// Where the environment lacks something.
    pub(crate) fn connect(environment: &Environment) -> Result<Self, StartError> {
        let patient = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
        let config = portal::s3_config!(aws_sdk_s3, environment).timeout_config(patient);
        Ok(Self { client: Client::from_conf(config.build()), name: environment.variable("EXPORT_BUCKET")?.to_owned() })
    }

    /// Begins an object. One that is left unfinished is removed by the bucket's lifecycle.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub(crate) async fn begin(&self, key: String) -> Result<Upload, UploadError> {
        let sent = self.client.create_multipart_upload().bucket(&self.name).key(&key).send().await;
        let begun = sent.map_err(|error| UploadError::new("CreateMultipartUpload", error))?;
        let id = begun.upload_id.unwrap_or_default();
        Ok(Upload { bucket: self.clone(), key, id, parts: Vec::new(), piece: Vec::new(), sent: 0 })
    }
}

impl Upload {
    /// Adds bytes.
    ///
    /// # Errors
    /// Where the bucket does not take a piece.
    pub(crate) async fn add(&mut self, bytes: &[u8]) -> Result<(), UploadError> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.send().await } else { Ok(()) }
    }

    /// Sends what is left, makes it an object, and tells how many bytes that has.
    ///
    /// # Errors
    /// Where the bucket does not take it.
    pub(crate) async fn finish(mut self) -> Result<u64, UploadError> {
        if !self.piece.is_empty() {
            self.send().await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let request = self.bucket.client.complete_multipart_upload().bucket(&self.bucket.name).key(self.key);
        let sent = request.upload_id(self.id).multipart_upload(parts).send().await;
        sent.map(|_| self.sent).map_err(|error| UploadError::new("CompleteMultipartUpload", error))
    }

    /// Gives it up. What cannot be removed now goes with the bucket's lifecycle.
    pub(crate) async fn abandon(self) {
        let request = self.bucket.client.abort_multipart_upload().bucket(&self.bucket.name).key(self.key);
        let _ = request.upload_id(self.id).send().await;
    }

    async fn send(&mut self) -> Result<(), UploadError> {
        self.sent += self.piece.len() as u64;
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let body = ByteStream::from(std::mem::take(&mut self.piece));
        let request = self.bucket.client.upload_part().bucket(&self.bucket.name).key(&self.key).upload_id(&self.id);
        let sent = request.part_number(number).body(body).send().await;
        let sent = sent.map_err(|error| UploadError::new("UploadPart", error))?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        Ok(())
    }
}

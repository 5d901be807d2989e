//! Objects that are written and read whole: what an import keeps of its work.

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bucket::{Bucket, BucketError, PIECE_TIMEOUT};

impl Bucket {
    /// Writes an object.
    ///
    /// # Errors
    /// Where the bucket does not take it.
    pub(crate) async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        let request = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| BucketError::new("PutObject", key, error))
    }

    /// A whole object; `None` where there is none.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub(crate) async fn whole(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        let read = async {
            let output = match self.client.get_object().bucket(&self.name).key(key).send().await {
                Ok(output) => output,
                Err(SdkError::ServiceError(error)) if error.err().code() == Some("NoSuchKey") => return Ok(None),
                Err(error) => return Err(BucketError::new("GetObject", key, error)),
            };
            let body = output.body.collect().await.map_err(|error| BucketError::new("GetObject", key, error))?;
            Ok(Some(body.to_vec()))
        };
        let late = |_| BucketError::other("GetObject", key, "timed out");
        tokio::time::timeout(PIECE_TIMEOUT, read).await.map_err(late)?
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// Where the bucket does not take it.
    pub(crate) async fn keep<T: Serialize>(&self, key: &str, value: &T) -> Result<(), BucketError> {
        let json =
            serde_json::to_vec(value).map_err(|error| BucketError::other("PutObject", key, error.to_string()))?;
        self.write(key, json).await
    }

    /// A value that was kept; `None` where there is none.
    ///
    /// # Errors
    /// Where the bucket does not answer, or the object is something else.
    pub(crate) async fn kept<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, BucketError> {
        let Some(json) = self.whole(key).await? else { return Ok(None) };
        serde_json::from_slice(&json).map(Some).map_err(|error| BucketError::other("GetObject", key, error.to_string()))
    }

    /// The keys that begin with a prefix, a thousand at most.
    ///
    /// # Errors
    /// Where the bucket does not answer.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let sent = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).send().await;
        let output = sent.map_err(|error| BucketError::new("ListObjectsV2", prefix, error))?;
        Ok(output.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    /// Deletes an object, or nothing where there is none.
    ///
    /// # Errors
    /// Where the bucket does not do it.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let sent = self.client.delete_object().bucket(&self.name).key(key).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().code() == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(BucketError::new("DeleteObject", key, error)),
        }
    }
}

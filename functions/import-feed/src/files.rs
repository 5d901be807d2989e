//! Where the files of a batch are: the feed bucket, or a folder of this machine.

use std::future::Future;

use crate::bucket::{Bucket, BucketError, Object};

/// Files that are read piece by piece.
pub trait Files: Send + Sync {
    /// Looks at a file; `None` where there is none.
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<Object>, BucketError>> + Send;

    /// The bytes from `offset` on, as many as are read at once ([`PIECE`](crate::bucket::PIECE)); none at the end.
    fn read(&self, object: &Object, offset: u64) -> impl Future<Output = Result<Vec<u8>, BucketError>> + Send;
}

impl Files for Bucket {
    async fn find(&self, key: &str) -> Result<Option<Object>, BucketError> {
        Bucket::find(self, key).await
    }

    async fn read(&self, object: &Object, offset: u64) -> Result<Vec<u8>, BucketError> {
        Bucket::read(self, object, offset).await
    }
}

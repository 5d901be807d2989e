//! A feed in a folder of this machine.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use import_feed::Files;
use import_feed::bucket::{BucketError, Object, PIECE};

/// A folder with the files of a batch.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The next piece, as long as the bucket's, so that records meet in the same transactions.
    fn piece(&self, object: &Object, offset: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.0.join(object.key()))?;
        file.seek(SeekFrom::Start(offset))?;
        let length = PIECE.min(object.size().saturating_sub(offset));
        let mut piece = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(length).read_to_end(&mut piece)?;
        if piece.len() as u64 == length { Ok(piece) } else { Err(io::Error::other("it became shorter meanwhile")) }
    }
}

impl Files for Folder {
    async fn find(&self, key: &str) -> Result<Option<Object>, BucketError> {
        match std::fs::metadata(self.0.join(key)) {
            Ok(found) => Ok(Some(Object::of(key, found.len()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BucketError::other("reading", key, error.to_string())),
        }
    }

    async fn read(&self, object: &Object, offset: u64) -> Result<Vec<u8>, BucketError> {
        self.piece(object, offset).map_err(|error| BucketError::other("reading", object.key(), error.to_string()))
    }
}

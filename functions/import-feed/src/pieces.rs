//! A file of a batch, read piece by piece: none is in memory as a whole.

use crate::bucket::{BucketError, Object};
use crate::feed::{Line, Lines};
use crate::files::Files;

/// A file, and how far it is read.
pub(crate) struct Pieces<'a, F> {
    files: &'a F,
    object: &'a Object,
    offset: u64,
    lines: Lines,
}

/// A piece of a file.
pub(crate) struct Piece<'a> {
    lines: &'a mut Lines,
    bytes: Vec<u8>,
    is_last: bool,
}

impl<'a, F: Files> Pieces<'a, F> {
    /// A file of which nothing is read yet.
    pub(crate) fn of(files: &'a F, object: &'a Object) -> Self {
        Self { files, object, offset: 0, lines: Lines::default() }
    }

    /// Reads the next piece; `None` at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece<'_>>, BucketError> {
        if self.offset >= self.object.size() {
            return Ok(None);
        }
        let bytes = self.files.read(self.object, self.offset).await?;
        self.offset += bytes.len() as u64;
        Ok(Some(Piece { lines: &mut self.lines, bytes, is_last: self.offset >= self.object.size() }))
    }
}

impl Piece<'_> {
    /// Hands over the lines that end in it.
    pub(crate) fn cut(self, mut each: impl FnMut(&Line<'_>)) {
        self.lines.push(&self.bytes, |line| each(&line));
        if self.is_last {
            self.lines.finish(|line| each(&line));
        }
    }
}

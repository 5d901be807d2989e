//! From the entries to the file.
//!
//! What is read in several pages is a state of the ledger only if nothing was posted meanwhile. Totals that are the same
//! before and after do not show that: a correction of a day or a label moves no sum, and one half of it may be read
//! without the other. So the rows have to add up to the totals as well, and where either is not so all is read anew.
//! Nobody gets a file whose rows do not add up.

use std::io::{self, Write};

use jiff::Timestamp;
use ledger_files::{CsvFile, FileError, Sums, XlsxFile};
use portal::store::{Entry, Export, ExportFormat, ReadableEntry, Totals};
use tokio::sync::mpsc;

use crate::upload::Upload;
use crate::{ExportError, Function};

/// How much of an archive is handed over at once.
const HANDED_OVER: usize = 256 * 1024;

impl Function {
    pub(crate) async fn write(&self, export: &Export) -> Result<(), ExportError> {
        let mut why = Unsettled::Moved;
        for _ in 0..Totals::MOST_READS {
            let before = Totals::of(&self.store, &export.member_number, export.view).await?;
            let mut upload = self.bucket.begin(export.object_key()).await?;
            match self.fill(export, &before, &mut upload).await {
                Ok(None) => return Ok(upload.finish().await?),
                Ok(Some(unsettled)) => {
                    upload.abandon().await;
                    why = unsettled;
                }
                Err(error) => {
                    upload.abandon().await;
                    return Err(error);
                }
            }
        }
        Err(match why {
            Unsettled::Moved => ExportError::Changing,
            Unsettled::Sums => ExportError::Inconsistent,
        })
    }

    /// The whole content; or why it is none, and has to be read again.
    async fn fill(
        &self,
        export: &Export,
        before: &[Totals],
        upload: &mut Upload,
    ) -> Result<Option<Unsettled>, ExportError> {
        let mut file = File::start(export.format, export.requested_at)?;
        let mut sums = Sums::default();
        // Had a record left the account later, the totals would have moved.
        let misposted = self.store.misposted(&export.member_number).await?;
        let list = Entry::in_order(&export.member_number, export.view);
        let mut next = None;
        loop {
            let page = self.store.query::<Entry>(&list.clone().after(next)).await?;
            for entry in page.items {
                sums.add(&entry);
                file.add(&misposted.readable(entry))?;
            }
            upload.add(&file.take()).await?;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        if Totals::of(&self.store, &export.member_number, export.view).await? != before {
            return Ok(Some(Unsettled::Moved));
        }
        if sums != Sums::of(before) {
            return Ok(Some(Unsettled::Sums));
        }
        file.finish(upload).await?;
        Ok(None)
    }
}

/// Why what was read is no state of the ledger.
enum Unsettled {
    /// The totals moved meanwhile.
    Moved,
    /// The rows do not add up to totals that stayed as they were.
    Sums,
}

/// The file in one of its formats.
pub enum File {
    /// Bytes leave as they come.
    Csv(CsvFile),
    /// Bytes leave at the end.
    Xlsx(Box<XlsxFile>),
}

impl File {
    /// A file that says it was made `now`.
    ///
    /// # Errors
    /// Where it cannot be begun.
    pub fn start(format: ExportFormat, now: Timestamp) -> Result<Self, FileError> {
        Ok(match format {
            ExportFormat::Csv => Self::Csv(CsvFile::start()?),
            ExportFormat::Xlsx => Self::Xlsx(Box::new(XlsxFile::start(now)?)),
        })
    }

    /// One more row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, entry: &ReadableEntry) -> Result<(), FileError> {
        match self {
            Self::Csv(file) => file.add(entry),
            Self::Xlsx(file) => file.add(entry),
        }
    }

    /// What can leave by now.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Csv(file) => file.take(),
            Self::Xlsx(_) => Vec::new(),
        }
    }

    async fn finish(self, upload: &mut Upload) -> Result<(), ExportError> {
        match self {
            Self::Csv(mut file) => Ok(upload.add(&file.take()).await?),
            Self::Xlsx(file) => {
                // Compressing takes a processor, and hands over no more than is sent meanwhile.
                let (sender, mut receiver) = mpsc::channel(1);
                let written = tokio::task::spawn_blocking(move || {
                    let mut pieces = Pieces { piece: Vec::new(), sender };
                    file.finish(&mut pieces)?;
                    pieces.flush().map_err(FileError::Bytes)
                });
                // Where one is not taken the writer finds that nobody receives any more.
                while let Some(piece) = receiver.recv().await {
                    upload.add(&piece).await?;
                }
                Ok(written.await.map_err(|_| ExportError::Unfinished)??)
            }
        }
    }
}

/// Hands bytes over in pieces.
struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Vec<u8>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= HANDED_OVER {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.sender.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

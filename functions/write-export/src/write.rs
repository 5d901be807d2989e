//! From the rows to the file.
//!
//! What is read in several pages is a state of the ledger only if nothing was posted meanwhile. Totals that are the same
//! before and after do not show that: a correction of a day or a label moves no sum, and one half of it may be read
//! without the other. So the rows have to add up to the totals as well, and where either is not so all is read anew.
//! Nobody gets a file whose rows do not add up.
//!
//! Entries leave as they come. Actions and transfers, some hundred bytes each, are read before they are written: what is
//! sorted is known when all of it is.

use std::io::{self, Write};

use jiff::Timestamp;
use ledger_files::{CsvFile, FileError, Row, XlsxFile};
use ledger_lists::{EntryRows, Listing, Read, RowFilter, Sums, read_rows};
use portal::store::{Entry, Export, ExportFormat, ExportSize, Totals};
use tokio::sync::mpsc;

use crate::upload::Upload;
use crate::{ExportError, Function};

/// How much of an archive is handed over at once.
const HANDED_OVER: usize = 256 * 1024;

/// How many actions or transfers are read at most: they take some hundred megabytes.
const MOST_ROWS: usize = 250_000;

impl Function {
    /// Writes the file of an export, and tells what it has.
    pub(crate) async fn write(&self, export: &Export) -> Result<ExportSize, ExportError> {
        let listing = Listing::of_texts(export.list, export.parameters(), export.requested_at);
        let listing = listing.map_err(|_| ExportError::Filter)?;
        match &listing {
            Listing::Actions(filter) => self.write_rows(export, filter).await,
            Listing::Remittances(filter) => self.write_rows(export, filter).await,
            Listing::Ledger(_) | Listing::Contributions(_) => {
                let rows = EntryRows::of(&listing).ok_or(ExportError::Filter)?;
                self.write_entries(export, rows).await
            }
        }
    }

    async fn write_rows<F: RowFilter>(&self, export: &Export, filter: &F) -> Result<ExportSize, ExportError>
    where
        F::Row: Row,
    {
        let rows = match read_rows(&self.store, &export.member_number, filter, MOST_ROWS).await? {
            Read::Found(rows) => rows,
            Read::TooMany => return Err(ExportError::TooMany),
            Read::Unsettled => return Err(ExportError::Changing),
        };
        let mut upload = self.bucket.begin(export.object_key()).await?;
        match fill_with(export, rows, &mut upload).await {
            Ok(rows) => Ok(ExportSize { rows, bytes: upload.finish().await? }),
            Err(error) => {
                upload.abandon().await;
                Err(error)
            }
        }
    }

    async fn write_entries(&self, export: &Export, rows: EntryRows) -> Result<ExportSize, ExportError> {
        let mut why = Unsettled::Moved;
        for _ in 0..Totals::MOST_READS {
            let before = Totals::of(&self.store, &export.member_number, rows.view()).await?;
            let mut upload = self.bucket.begin(export.object_key()).await?;
            match self.fill(export, rows, &before, &mut upload).await {
                Ok(Ok(rows)) => return Ok(ExportSize { rows, bytes: upload.finish().await? }),
                Ok(Err(unsettled)) => {
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

    /// The whole content, and how many rows it has; or why it is none, and has to be read again.
    async fn fill(
        &self,
        export: &Export,
        rows: EntryRows,
        before: &[Totals],
        upload: &mut Upload,
    ) -> Result<Result<u64, Unsettled>, ExportError> {
        let mut file = File::start(export.format, export.requested_at)?;
        let mut sums = Sums::default();
        let (mut read, mut shown) = (0, 0);
        // Had a record left the account later, the totals would have moved.
        let misposted = self.store.misposted(&export.member_number).await?;
        for range in rows.ranges(&export.member_number, before) {
            let mut next = None;
            loop {
                let page = self.store.query::<Entry>(&range.clone().after(next)).await?;
                for entry in page.items.into_iter().filter(|entry| EntryRows::is_of(entry, before)) {
                    sums.add(&entry);
                    read += 1;
                    if rows.shows(&entry) {
                        shown += 1;
                        file.add(&misposted.readable(entry))?;
                    }
                }
                upload.add(&file.take()).await?;
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        if Totals::of(&self.store, &export.member_number, rows.view()).await? != before {
            return Ok(Err(Unsettled::Moved));
        }
        if !rows.add_up(read, &sums, before) {
            return Ok(Err(Unsettled::Sums));
        }
        file.finish(upload).await?;
        Ok(Ok(shown))
    }
}

/// Writes rows that were read.
async fn fill_with<R: Row>(export: &Export, rows: Vec<R>, upload: &mut Upload) -> Result<u64, ExportError> {
    let mut file = File::start(export.format, export.requested_at)?;
    let number = rows.len() as u64;
    for row in rows {
        file.add(&row)?;
    }
    file.finish(upload).await?;
    Ok(number)
}

/// Why what was read is no state of the ledger.
enum Unsettled {
    /// The totals moved meanwhile.
    Moved,
    /// The rows do not add up to totals that stayed as they were.
    Sums,
}

/// The file in one of its formats.
pub enum File<R> {
    /// Bytes leave as they come.
    Csv(CsvFile<R>),
    /// Bytes leave at the end.
    Xlsx(Box<XlsxFile<R>>),
}

impl<R: Row> File<R> {
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
    pub fn add(&mut self, row: &R) -> Result<(), FileError> {
        match self {
            Self::Csv(file) => file.add(row),
            Self::Xlsx(file) => file.add(row),
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

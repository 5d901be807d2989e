//! The parts of a table: gzipped files of one `{"Item": …}` a line.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use portal::store::Table;
use serde::{Deserialize, Serialize};

use crate::LoadError;
use crate::disk::Disk;

/// About how many bytes a part has before it is compressed: some 100,000 items. DynamoDB reads parts at the
/// same time, and takes at most 50,000 of them.
pub const PART_BYTES: u64 = 64 * 1024 * 1024;

/// How many items there are between two calls that tell how many are written.
const TELL_EVERY: u64 = 1_000;

/// What was written of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// How many items.
    pub items: u64,
    /// Their bytes before compression, which is what an import is paid by.
    pub bytes: u64,
    /// How many parts.
    pub parts: u64,
}

/// A part under way.
struct Part {
    path: PathBuf,
    writer: GzEncoder<BufWriter<File>>,
    bytes: u64,
}

impl Part {
    fn begin(folder: &Path, number: u64) -> Result<Self, LoadError> {
        let path = folder.join(format!("part-{number:05}.json.gz"));
        let file = File::create_new(&path).map_err(LoadError::io(&path))?;
        let writer = GzEncoder::new(BufWriter::new(file), Compression::default());
        Ok(Self { path, writer, bytes: 0 })
    }

    fn write(&mut self, item: &[u8]) -> Result<(), LoadError> {
        for piece in [&b"{\"Item\":"[..], item, b"}\n"] {
            self.writer.write_all(piece).map_err(LoadError::io(&self.path))?;
            self.bytes += piece.len() as u64;
        }
        Ok(())
    }

    fn end(self) -> Result<u64, LoadError> {
        let written = self.writer.finish().and_then(|buffer| buffer.into_inner().map_err(Into::into));
        written.and_then(|file: File| file.sync_all()).map_err(LoadError::io(&self.path))?;
        Ok(self.bytes)
    }
}

/// Writes all items of a table, into parts of about `part_bytes`; `told` is how many there are by now.
///
/// # Errors
/// Where the work file cannot be read or a part not be written.
pub fn write(
    disk: &Disk,
    table: Table,
    folder: &Path,
    part_bytes: u64,
    told: impl Fn(u64),
) -> Result<Written, LoadError> {
    let mut written = Written::default();
    let mut part: Option<Part> = None;
    disk.spread(table, |item| {
        let mut current = match part.take() {
            Some(part) => part,
            None => Part::begin(folder, written.parts)?,
        };
        current.write(item)?;
        written.items += 1;
        if written.items.is_multiple_of(TELL_EVERY) {
            told(written.items);
        }
        if current.bytes >= part_bytes {
            written.parts += 1;
            written.bytes += current.end()?;
        } else {
            part = Some(current);
        }
        Ok::<(), LoadError>(())
    })?;
    if let Some(last) = part {
        written.parts += 1;
        written.bytes += last.end()?;
    }
    told(written.items);
    Ok(written)
}

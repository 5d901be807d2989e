//! A list of a member account's ledger as a file, row by row, in memory that does not grow with the rows.
//!
//! ```no_run
//! # fn write(pages: Vec<Vec<portal::store::ReadableEntry>>, now: jiff::Timestamp) -> Result<Vec<u8>, ledger_files::FileError> {
//! let mut file = ledger_files::XlsxFile::start(now)?;
//! for entry in pages.into_iter().flatten() {
//!     file.add(&entry)?;
//! }
//! let mut bytes = Vec::new();
//! file.finish(&mut bytes)?;
//! # Ok(bytes)
//! # }
//! ```

mod actions;
mod columns;
mod csv_file;
mod entries;
mod literal;
mod remittances;
#[cfg(test)]
mod tests;
mod xlsx_file;

pub use columns::{Column, Row};
pub use csv_file::CsvFile;
pub use xlsx_file::XlsxFile;

/// A file could not be written: a full disk, or a defect.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// As CSV.
    #[error("a ledger as CSV")]
    Csv(#[from] csv::Error),
    /// As XLSX.
    #[error("a ledger as XLSX")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// Its bytes found no place.
    #[error("the bytes of a ledger's file")]
    Bytes(#[source] std::io::Error),
}

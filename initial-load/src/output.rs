//! The folder that a load is written to: it has its name when everything in it is whole.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use import_feed::Report;
use portal::store::Table;
use serde::{Deserialize, Serialize};

use crate::LoadError;
use crate::parts::Written;

/// Says that an unfinished folder is ours; its first file.
const MARK: &str = ".initial-load";
/// The tables while they are made; gone at the end.
const WORK: &str = "work.redb";
/// What became of each batch, in their order.
const REPORT: &str = "report.json";
/// What was written.
const SUMMARY: &str = "load.json";

/// What a load consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The members table.
    pub members: Written,
    /// The ledger table.
    pub ledger: Written,
}

/// The folder while it is made, under a name of its own.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
    unfinished: PathBuf,
}

fn folder_name(table: Table) -> &'static str {
    if table == Table::Members { "members" } else { "ledger" }
}

impl Output {
    /// Whether a load may be written to a folder, which is to be missing or empty.
    ///
    /// # Errors
    /// [`LoadError::NotEmpty`] where it may not.
    pub(crate) fn look(folder: &Path) -> Result<(), LoadError> {
        let mut found = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found.map_err(LoadError::io(folder))?,
        };
        if found.next().is_none() { Ok(()) } else { Err(LoadError::NotEmpty(folder.to_owned())) }
    }

    /// Makes the unfinished folder, `<folder>.unfinished`. One that a load left which was cut off is
    /// replaced; anything else of that name stays.
    ///
    /// # Errors
    /// [`LoadError::NotEmpty`], and where the disk fails.
    pub(crate) fn begin(folder: &Path) -> Result<Self, LoadError> {
        Self::look(folder)?;
        let mut name = folder.file_name().map_or_else(OsString::new, ToOwned::to_owned);
        name.push(".unfinished");
        let unfinished = folder.with_file_name(name);
        if unfinished.join(MARK).is_file() {
            fs::remove_dir_all(&unfinished).map_err(LoadError::io(&unfinished))?;
        }
        Self::look(&unfinished)?;
        fs::create_dir_all(&unfinished).map_err(LoadError::io(&unfinished))?;
        let output = Self { folder: folder.to_owned(), unfinished };
        output.write(MARK, "")?;
        Ok(output)
    }

    /// The work file.
    #[must_use]
    pub(crate) fn work_file(&self) -> PathBuf {
        self.unfinished.join(WORK)
    }

    /// Makes the folder of a table's parts.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(crate) fn folder(&self, table: Table) -> Result<PathBuf, LoadError> {
        let path = self.unfinished.join(folder_name(table));
        fs::create_dir_all(&path).map_err(LoadError::io(&path))?;
        Ok(path)
    }

    /// Writes reports and summary, takes the work file away, and gives the folder its name.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn end(self, reports: &[Report], summary: &Summary) -> Result<(), LoadError> {
        self.write(REPORT, &format!("{:#}\n", serde_json::to_value(reports)?))?;
        self.write(SUMMARY, &format!("{:#}\n", serde_json::to_value(summary)?))?;
        for name in [WORK, MARK] {
            let path = self.unfinished.join(name);
            fs::remove_file(&path).map_err(LoadError::io(&path))?;
        }
        // Takes the place of an empty folder, and of nothing else.
        fs::rename(&self.unfinished, &self.folder).map_err(LoadError::io(&self.folder))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), LoadError> {
        let path = self.unfinished.join(name);
        fs::write(&path, text).map_err(LoadError::io(&path))
    }
}

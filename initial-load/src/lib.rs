//! Turns feeds into files that DynamoDB reads from S3: the items that posting them into empty tables would leave,
//! part by part.
//!
//! Nothing of the posting is written a second time. `import-feed` posts each batch as ever, but reads its files
//! from a [`folder::Folder`] and commits its transactions to [`disk::Disk`], a store of this machine; what is
//! in that at the end is written out by [`parts`]. So the items are those of the function, versions included.
//!
//! Memory does not grow with the feeds: the store's cache is bounded, and parts are written item by item.

pub mod disk;
pub mod folder;
pub mod item_json;
mod output;
pub mod parts;

pub use output::Summary;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use import_feed::{Advance, ImportError, Importer, Poster, Refusal, Report, Sources, check_files, read_manifest};
use portal::clock::Clock;
use portal::domain::{Identifier, View, ViewRule};
use portal::store::Table;

use crate::disk::{Disk, DiskError};
use crate::folder::Folder;
use crate::output::Output;

/// What a load is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folders of the batches, each with its `manifest.json`, in the order of posting.
    pub feeds: Vec<PathBuf>,
    /// The folder to write.
    pub out: PathBuf,
    /// The first view, as the stack's parameter.
    pub first_view: View,
    /// The systems that may send batches, as the stack's parameter.
    pub sources: Arc<Sources>,
    /// When the entries are booked.
    pub clock: Clock,
    /// How many bytes a part has before it is compressed, about.
    pub part_bytes: u64,
}

/// What a load is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Posting the lines of this batch.
    Posting(Identifier),
    /// Writing the items of this table.
    Writing(Table),
}

/// Is told what is being done, how much of it is done, and how much there is.
pub type Told = Arc<dyn Fn(Stage, u64, u64) + Send + Sync>;

/// Why there is no load; a repeat begins anew.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A batch is not what its manifest says, or has the name or the number of another one; there is no load.
    #[error("the batch in {} is refused ({}): {}", .0.display(), .1.reason, .1.detail)]
    Refused(PathBuf, Refusal),
    /// The folder to write, or the one beside it that a load is made in, holds something else.
    #[error("{} is not empty: give --out a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The disk failed.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The store of this machine failed.
    #[error("the work file failed: {0}")]
    Disk(#[from] DiskError),
    /// Reading or posting a batch failed.
    #[error("the batch in {}: {source}", feed.display())]
    Import {
        /// The folder of the batch.
        feed: PathBuf,
        /// Why it failed.
        source: ImportError,
    },
    /// Report or summary cannot be written as JSON.
    #[error("cannot write a summary: {0}")]
    Json(#[from] serde_json::Error),
}

impl LoadError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    fn import(feed: &Path) -> impl Fn(ImportError) -> Self {
        let feed = feed.to_owned();
        move |source| Self::Import { feed: feed.clone(), source }
    }
}

/// Makes a load: checks all batches, posts them on this machine, writes parts, reports and summary, and gives the
/// folder its name last.
///
/// # Errors
/// [`LoadError::NotEmpty`], and [`LoadError::Refused`] where a batch is not what its manifest says, before anything is
/// written.
pub async fn load(options: &Options, told: &Told) -> Result<(Vec<Report>, Summary), LoadError> {
    Output::look(&options.out)?;
    let mut batches = Vec::with_capacity(options.feeds.len());
    for feed in &options.feeds {
        let refused = |refusal| LoadError::Refused(feed.clone(), refusal);
        let files = Folder::new(feed);
        let manifest = read_manifest(&files, "").await.map_err(LoadError::import(feed))?.map_err(refused)?;
        let checked = check_files(&files, "", &manifest, &options.sources).await.map_err(LoadError::import(feed))?;
        let objects = checked.map_err(refused)?;
        batches.push((feed, files, manifest, objects));
    }

    let output = Output::begin(&options.out)?;
    let mut disk = Disk::create(&output.work_file())?;
    let rule = ViewRule::starting(options.first_view);
    let mut reports = Vec::with_capacity(batches.len());
    for (feed, files, manifest, objects) in batches {
        let (clock, sources) = (options.clock.clone(), options.sources.clone());
        let poster = Poster { store: disk, clock, rule, sources };
        let told = told.clone();
        let progress: Advance =
            Arc::new(move |manifest, done, of| told(Stage::Posting(manifest.batch_id.clone()), done, of));
        let importer = Importer { files, poster, progress };
        let posted = importer.post_batch(&manifest, &objects).await.map_err(LoadError::import(feed))?;
        reports.push(posted.map_err(|refusal| LoadError::Refused(feed.clone(), refusal))?);
        disk = importer.poster.store;
    }
    disk.flush()?;
    let write = |table| {
        let count = disk.count(table)?;
        parts::write(&disk, table, &output.folder(table)?, options.part_bytes, |done| {
            told(Stage::Writing(table), done, count);
        })
    };
    let summary = Summary { members: write(Table::Members)?, ledger: write(Table::Ledger)? };
    drop(disk);
    output.end(&reports, &summary)?;
    Ok((reports, summary))
}

//! `import-feed`: posts a batch of the back office's feed when its `manifest.json` arrives.
//!
//! The batch is held against its manifest first and refused whole where it differs. Then members are
//! posted, then the ledger, piece by piece, so that memory does not grow with the file. Every record is
//! posted in one transaction with the guard of its source key: cut off anywhere, a second run ends in
//! the same state.

pub mod bucket;
mod check;
pub mod feed;
mod files;
mod members;
mod post;
pub mod posting;
mod report;
mod run;
mod tables;

pub use files::Files;
pub use post::Poster;
pub use report::{ControlTotals, Quarantined, Refusal, Report};
pub use run::{Advance, Importer, check_files, read_manifest};
pub use tables::Tables;

use portal::clock::Clock;
use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction;
use portal::log::Log;
use portal::store::{Store, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::bucket::{Bucket, BucketError};

/// What completes a batch.
const MANIFEST: &str = "manifest.json";

/// The function.
#[derive(Clone)]
pub struct Function {
    importer: Importer<Bucket, Store>,
    log: Log,
}

/// Why a batch could not be posted to its end; a repeat goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// The bucket, or the folder, with the feed failed.
    #[error("the feed's files failed: {0}")]
    Bucket(#[from] BucketError),
    /// The ledger contradicts itself.
    #[error("the ledger is inconsistent: {0}")]
    Inconsistent(String),
    /// The event names a manifest that is not there.
    #[error("there is no {0}")]
    NoManifest(String),
}

/// An S3 event as EventBridge delivers it, as far as it matters.
#[derive(Debug, Clone, Deserialize)]
pub struct ObjectCreated {
    /// What was created.
    pub detail: Detail,
}

/// What was created.
#[derive(Debug, Clone, Deserialize)]
pub struct Detail {
    /// Where.
    pub bucket: BucketName,
    /// Which object.
    pub object: ObjectKey,
}

/// A bucket.
#[derive(Debug, Clone, Deserialize)]
pub struct BucketName {
    /// Its name.
    pub name: String,
}

/// An object.
#[derive(Debug, Clone, Deserialize)]
pub struct ObjectKey {
    /// Its key, as it is: EventBridge does not encode it.
    pub key: String,
}

/// What became of an event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// A batch was posted, or refused.
    Report(Box<Report>),
    /// The object completes no batch.
    Ignored {
        /// Its key.
        ignored: String,
    },
}

impl EventFunction for Function {
    const NAME: &'static str = "import-feed";
    type Event = ObjectCreated;
    type Outcome = Outcome;
    type Error = ImportError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            importer: Importer {
                files: Bucket::connect(environment)?,
                poster: Poster {
                    store: Store::connect(environment, &[Table::Members, Table::Ledger])?,
                    clock: environment.clock.clone(),
                    rule: environment.view_rule()?,
                },
                progress: run::into_log(environment.log.clone()),
            },
            log: environment.log.clone(),
        })
    }

    async fn handle(&self, event: ObjectCreated) -> Result<Outcome, ImportError> {
        let Detail { bucket, object: ObjectKey { key } } = event.detail;
        let folder = key.strip_suffix(MANIFEST).filter(|folder| folder.is_empty() || folder.ends_with('/'));
        match folder {
            Some(folder) if bucket.name == self.importer.files.name() => {
                let report = Box::pin(self.import(folder)).await?;
                Ok(Outcome::Report(Box::new(report)))
            }
            _ => Ok(Outcome::Ignored { ignored: key }),
        }
    }
}

impl Function {
    fn clock(&self) -> &Clock {
        &self.importer.poster.clock
    }
}

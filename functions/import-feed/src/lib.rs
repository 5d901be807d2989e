//! `import-feed`: posts a batch of the back office's feed when its `manifest.json` arrives.
//!
//! The batch is held against its manifest first and refused whole where it differs. Then members are
//! posted, then the ledger, piece by piece, so that memory does not grow with the file. Every record is
//! posted in one transaction with the guard of its source key: cut off anywhere, a second run ends in
//! the same state.

mod account_totals;
mod accounts;
mod awaited;
mod balances;
pub mod bucket;
mod check;
mod doubts;
pub mod feed;
mod files;
mod groups;
mod members;
mod merge;
mod moves;
mod needs;
mod objects;
mod order;
mod pieces;
mod plan;
mod post;
pub mod posting;
mod report;
mod run;
mod sequence;
mod sources;
mod split;
mod tables;
mod warning;
mod worker;

pub use awaited::{Awaited, AwaitedNumber};
pub use balances::{Balances, Difference, Figures};
pub use files::Files;
pub use post::Poster;
pub use report::{ControlTotals, IgnoredField, Quarantined, Refusal, Report, WarnedLine};
pub use run::{Advance, Importer, check_files, read_manifest};
pub use sequence::{Gap, Sequence};
pub use sources::Sources;
pub use tables::Tables;
pub use warning::{Particulars, Warning};

use std::sync::Arc;

use jiff::Timestamp;
use portal::clock::Clock;
use portal::domain::Identifier;
use portal::environment::{Environment, StartError};
use portal::invocation;
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
    /// What is kept while a large batch is posted.
    work: Bucket,
    log: Log,
    /// Where a batch is large, and how it is cut.
    pub bounds: Bounds,
}

/// Where a batch is large, and how it is cut.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Batches of more lines are cut into shards; others are posted by the one invocation.
    pub above: u64,
    /// How many bytes of a shard are posted between two checkpoints, about, and the most that a part has.
    pub part: usize,
    /// How many bytes are in memory at most that are cut and not written.
    pub memory: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        // Small, so that a batch of ten thousand lines takes as much memory as one of a million: each of several
        // workers has a piece of some 450 lines.
        Self { above: u64::MAX, part: 128 * 1024, memory: 2 * 1024 * 1024 }
    }
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
    /// The ledger contradicts itself, however often it is read.
    #[error("the ledger is inconsistent: {0}")]
    Inconsistent(String),
    /// The event names a manifest that is not there.
    #[error("there is no {0}")]
    NoManifest(String),
    /// A message names what is no task.
    #[error("this is no task: {0}")]
    NoTask(String),
}

/// The bound that the template gives.
fn split_above(environment: &Environment) -> Result<u64, StartError> {
    let text = environment.variable("SPLIT_ABOVE")?;
    let invalid =
        |_| StartError::InvalidVariable { name: "SPLIT_ABOVE", reason: "a number of lines is needed".to_owned() };
    text.parse().map_err(invalid)
}

/// The sources that the template names.
fn sources(environment: &Environment) -> Result<Sources, StartError> {
    let invalid = |reason| StartError::InvalidVariable { name: "FEED_SOURCES", reason };
    Sources::parse(environment.variable("FEED_SOURCES")?).map_err(invalid)
}

/// What starts the function.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Arrival {
    /// A manifest, through EventBridge.
    Manifest(ObjectCreated),
    /// Tasks, through EventBridge and a queue.
    Tasks(Messages),
}

/// Messages of a queue.
#[derive(Debug, Clone, Deserialize)]
pub struct Messages {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Message>,
}

/// A message of a queue.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// Its id.
    #[serde(rename = "messageId")]
    pub id: String,
    /// The event of a task's object.
    pub body: String,
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
    /// Tells the writes of one key apart.
    #[serde(default)]
    pub sequencer: Option<String>,
}

/// What became of an event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// A batch was posted, or refused.
    Report(Box<Report>),
    /// A batch was cut into shards, which are being posted.
    Split {
        /// The batch.
        batch_id: Identifier,
        /// The run.
        run: String,
        /// How many shards there are.
        shards: usize,
    },
    /// The event came again after its batch was posted.
    Done {
        /// The run.
        done: String,
    },
    /// Tasks were done, but for these.
    Failures {
        /// Messages to be delivered again.
        #[serde(rename = "batchItemFailures")]
        failures: Vec<Failure>,
    },
    /// The object completes no batch.
    Ignored {
        /// Its key.
        ignored: String,
    },
}

/// A message that is to be delivered again.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The message's id.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}

impl EventFunction for Function {
    const NAME: &'static str = "import-feed";
    type Event = Arrival;
    type Outcome = Outcome;
    type Error = ImportError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            importer: Importer {
                files: Bucket::connect(environment, "FEED_BUCKET")?,
                poster: Poster {
                    store: Store::connect(environment, &[Table::Members, Table::Ledger])?,
                    clock: environment.clock.clone(),
                    rule: environment.view_rule()?,
                    sources: Arc::new(sources(environment)?),
                },
                progress: run::into_log(environment.log.clone()),
            },
            work: Bucket::connect(environment, "WORK_BUCKET")?,
            log: environment.log.clone(),
            bounds: Bounds { above: split_above(environment)?, ..Bounds::default() },
        })
    }

    async fn handle(&self, event: Arrival) -> Result<Outcome, ImportError> {
        self.handle_until(event, None).await
    }

    async fn handle_until(&self, event: Arrival, deadline: Option<Timestamp>) -> Result<Outcome, ImportError> {
        let event = match event {
            Arrival::Manifest(event) => event,
            Arrival::Tasks(messages) => return Ok(self.do_tasks(messages, deadline).await),
        };
        let Detail { bucket, object: ObjectKey { key, sequencer } } = event.detail;
        let folder = key.strip_suffix(MANIFEST).filter(|folder| folder.is_empty() || folder.ends_with('/'));
        match folder {
            Some(folder) if bucket.name == self.importer.files.name() => {
                // S3 always has one; without it every delivery is an arrival of its own.
                let arrival = sequencer.unwrap_or_else(|| self.clock().now().to_string());
                Box::pin(self.import(folder, &arrival)).await
            }
            _ => Ok(Outcome::Ignored { ignored: key }),
        }
    }
}

impl Function {
    fn clock(&self) -> &Clock {
        &self.importer.poster.clock
    }

    /// Does the tasks of messages; what failed is delivered again.
    async fn do_tasks(&self, messages: Messages, deadline: Option<Timestamp>) -> Outcome {
        let mut failures = Vec::new();
        for Message { id, body } in messages.records {
            if let Err(error) = Box::pin(self.do_task(&body, deadline)).await {
                invocation::trouble(error.to_string());
                failures.push(Failure { id });
            }
        }
        Outcome::Failures { failures }
    }

    async fn do_task(&self, body: &str, deadline: Option<Timestamp>) -> Result<(), ImportError> {
        let ObjectCreated { detail } =
            serde_json::from_str(body).map_err(|error| ImportError::NoTask(error.to_string()))?;
        let key = detail.object.key;
        let task = plan::Task::parse(&key).filter(|_| detail.bucket.name == self.work.name());
        let task = task.ok_or(ImportError::NoTask(key))?;
        self.work(&task, deadline).await
    }
}

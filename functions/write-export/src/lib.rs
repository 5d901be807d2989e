//! `write-export`: writes the file that somebody asked for. Started by the item of the export, through the stream
//! of the identity table.
//!
//! Entries are read page by page and written as they come (`write`); the file appears in the bucket when it is
//! whole (`upload`), and only if it adds up to the account's totals. Then the export is marked as ready. A crash
//! at any point is made good by the next attempt, which writes the same object; after three the export is marked
//! as failed.

mod upload;
#[doc(hidden)]
pub mod write;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use portal::environment::{Environment, StartError, rng};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::log::with_sources;
use portal::store::{
    Change, Condition, Export, ExportSize, ExportState, ExportsUnderWay, Key, Outcome, Record as _, Store, StoreError,
    Table, Transaction,
};
use rand::CryptoRng;
use serde_dynamo::AttributeValue;

use upload::{Bucket, UploadError};

/// How many others may begin exports of the same account, or be done with them, while one is.
const MOST_ATTEMPTS: usize = 10;

/// The function `write-export`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
    bucket: Bucket,
}

/// Why a file is not written yet. The stream brings the export again.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket failed.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The file could not be written.
    #[error("the file was not written")]
    File(#[from] ledger_files::FileError),
    /// The task that writes it ended before it was done.
    #[error("the file was not written to its end")]
    Unfinished,
    /// What it is filtered by cannot be read.
    #[error("the filter of the export is none")]
    Filter,
    /// There are more rows than can be sorted.
    #[error("too many rows")]
    TooMany,
    /// The ledger was posted to while it was read, each time.
    #[error("the ledger changes all the time")]
    Changing,
    /// The entries do not add up to the totals.
    #[error("the entries do not add up to the totals of the account")]
    Inconsistent,
    /// Others change what is under way all the time.
    #[error("the account's exports change all the time")]
    Contention,
}

impl EventFunction for Function {
    const NAME: &'static str = "write-export";
    type Event = Event;
    type Outcome = DynamoDbEventResponse;
    type Error = ExportError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            environment: environment.clone(),
            store: Store::connect(environment, &[Table::Identity, Table::Ledger])?,
            bucket: Bucket::connect(environment)?,
        })
    }

    /// Reports the records whose export is still to be written.
    async fn handle(&self, event: Event) -> Result<DynamoDbEventResponse, ExportError> {
        let mut response = DynamoDbEventResponse::default();
        for record in event.records {
            let Some(key) = export_key(&record) else { continue };
            if let Err(error) = self.fulfil(&key, &mut rng()).await {
                invocation::trouble(with_sources("an export", &error));
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = record.change.sequence_number;
                response.batch_item_failures.push(failure);
            }
        }
        Ok(response)
    }
}

impl Function {
    /// Writes one export, unless it is done with.
    async fn fulfil(&self, key: &Key, rng: &mut impl CryptoRng) -> Result<(), ExportError> {
        let now = self.environment.clock.now();
        let Some(export) = self.store.get::<Export>(key).await? else { return Ok(()) };
        if export.state(now) != Some(ExportState::Preparing) {
            return Ok(());
        }
        if export.attempts >= Export::MOST_ATTEMPTS {
            return self.done_with(&export, ExportState::Failed, None, rng).await;
        }
        // Counted before it is begun: an attempt that ends the process counts too.
        let still = Condition::All(vec![Condition::Exists, Condition::is("written", &ExportState::Preparing)?]);
        if !self.store.update(key, &Change::new().add("attempts", 1), Some(&still)).await? {
            return Ok(());
        }
        let size = self.write(&export).await?;
        self.done_with(&export, ExportState::Ready, Some(size), rng).await
    }

    /// Says how it ended, and makes room for another.
    async fn done_with(
        &self,
        export: &Export,
        how: ExportState,
        size: Option<ExportSize>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), ExportError> {
        let now = self.environment.clock.now();
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let preparing = Condition::is("written", &ExportState::Preparing)?;
            let mut change = Change::new().set("written", &how)?;
            if let Some(size) = &size {
                change = change.set("size", size)?;
            }
            let own = transaction.update(export.key(), change, preparing);
            let known = self.store.get::<ExportsUnderWay>(&ExportsUnderWay::key_of(&export.member_number)).await?;
            if let Some(mut under_way) = known {
                under_way.end(export.export_id, now);
                under_way.write(now, &mut transaction)?;
            }
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(()),
                // Done with by another attempt, or erased with its user.
                Outcome::Refused(refused) if refused.failed(own) => return Ok(()),
                Outcome::Refused(_) => {}
            }
        }
        Err(ExportError::Contention)
    }
}

/// The export that a stream record is about.
fn export_key(record: &EventRecord) -> Option<Key> {
    match (record.change.keys.get("pk"), record.change.keys.get("sk")) {
        (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) => Export::key_from(pk, sk),
        _ => None,
    }
}

//! The event source mapping: reads a table's stream and hands its records to a function, in batches.
//!
//! As Lambda's does it: records that no filter wants are skipped; a failed batch is tried again from its
//! first failed record; what keeps failing is given up and named in the dead-letter list, so that it does
//! not hold up what comes after. The position is kept after each batch, so a restart goes on from there
//! and hands over nothing less than once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::streams::{shard_id, stream_arn};
use dynoxide::{DynoxideError, Result as EngineResult};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::dead_letters::DeadLetters;
use crate::deployment::StreamMapping;
use crate::engine::Handle;
use crate::functions::Functions;
use crate::names::{ACCOUNT, REGION};
use crate::position::Position;
use crate::retry::pause_after;
use crate::server::Stop;

/// Functions wake the reader as they end; this is for writes that come past them.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How many records one look takes at most, as `GetRecords` does.
const PAGE: usize = 1000;

/// One stream and the function that reads it.
pub(crate) struct Reader {
    mapping: StreamMapping,
    database: Handle,
    functions: Functions,
    dead_letters: Arc<DeadLetters>,
    position: Position,
    /// The position, for whoever waits for it.
    reached: watch::Sender<String>,
    first_pause: Duration,
}

/// Where a reader is, seen from outside.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    table: String,
    database: Handle,
    reached: watch::Receiver<String>,
}

/// The portal stops; what was not handed over is read again at the next start.
struct Stopped;

impl Reader {
    pub(crate) fn new(
        mapping: StreamMapping,
        database: Handle,
        functions: Functions,
        dead_letters: Arc<DeadLetters>,
        position: Position,
        first_pause: Duration,
    ) -> (Self, Progress) {
        let (reached, receiver) = watch::channel(position.get().to_owned());
        let progress = Progress { table: mapping.table.clone(), database: database.clone(), reached: receiver };
        (Self { mapping, database, functions, dead_letters, position, reached, first_pause }, progress)
    }

    /// Reads until the signal.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut calls = self.functions.calls();
        let ended = stop.clone().wait();
        tokio::pin!(ended);
        loop {
            // Marked as seen before the look: a call that ends during it is a reason to look again.
            calls.mark_unchanged();
            match self.look().await {
                Ok(records) if !records.is_empty() => {
                    if self.hand_over(records, &stop).await.is_err() {
                        return;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => self.dead_letters.log(&json!({
                    "level": "error", "function": self.mapping.function, "error": format!("the stream: {error}"),
                })),
            }
            tokio::select! {
                () = &mut ended => return,
                changed = calls.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    async fn look(&self) -> EngineResult<Vec<Value>> {
        let position = self.reached.borrow().clone();
        records_after(&self.database, &self.mapping.table, position).await
    }

    async fn hand_over(&mut self, records: Vec<Value>, stop: &Stop) -> Result<(), Stopped> {
        let mut last = String::new();
        let mut batch = Vec::new();
        for record in records {
            last = sequence_number(&record).to_owned();
            if self.wants(&record) {
                batch.push(record);
            }
            if batch.len() == self.mapping.batch_size {
                self.deliver(std::mem::take(&mut batch), stop).await?;
            }
        }
        self.deliver(batch, stop).await?;
        // Skipped records move the position without being worth a write: they are skipped again.
        self.reached.send_replace(last);
        Ok(())
    }

    fn wants(&self, record: &Value) -> bool {
        self.mapping.filters.is_empty() || self.mapping.filters.iter().any(|filter| filter.matches(record))
    }

    async fn deliver(&mut self, batch: Vec<Value>, stop: &Stop) -> Result<(), Stopped> {
        let mut rest = batch.as_slice();
        let mut most = self.mapping.batch_size;
        let mut failures = 0;
        while !rest.is_empty() {
            if stop.is_given() {
                return Err(Stopped);
            }
            let now = &rest[..rest.len().min(most)];
            let answer = self.functions.invoke(&self.mapping.function, json!({"Records": now})).await;
            let (done, named, reason) = match &answer {
                Err(error) => (0, false, error.to_string()),
                Ok(answer) => match self.first_failure(answer, now) {
                    None => (now.len(), false, String::new()),
                    Some(first) => (first.unwrap_or(0), first.is_some(), "the function names it as failed".to_owned()),
                },
            };
            if done > 0 {
                self.advance(&rest[done - 1]);
                failures = 0;
            }
            let failed = done < now.len();
            rest = &rest[done..];
            if !failed {
                continue;
            }
            failures += 1;
            if failures <= self.mapping.retries {
                let pause = pause_after(failures, self.first_pause);
                tokio::select! {
                    () = stop.clone().wait() => return Err(Stopped),
                    () = tokio::time::sleep(pause) => {}
                }
            } else if named || now.len() == 1 {
                let record = &rest[0];
                self.dead_letters.add(&self.mapping.function, &self.mapping.table, sequence_number(record), &reason);
                self.advance(record);
                rest = &rest[1..];
                failures = 0;
            } else {
                // One of them spoils the batch; alone, each shows whether it is the one.
                most = 1;
                failures = 0;
            }
        }
        Ok(())
    }

    /// The place of the first record that the answer names as failed; `Some(None)` where it names one
    /// that was not sent, which counts as all of them.
    fn first_failure(&self, answer: &Value, batch: &[Value]) -> Option<Option<usize>> {
        if !self.mapping.reports_item_failures {
            return None;
        }
        let failed = answer["batchItemFailures"].as_array().filter(|failed| !failed.is_empty())?;
        let places: Option<Vec<usize>> = failed
            .iter()
            .map(|failure| {
                let id = failure["itemIdentifier"].as_str()?;
                batch.iter().position(|record| sequence_number(record) == id)
            })
            .collect();
        Some(places.and_then(|places| places.into_iter().min()))
    }

    fn advance(&mut self, record: &Value) {
        let number = sequence_number(record).to_owned();
        if let Err(error) = self.position.set(&number) {
            // Handled once more after a restart, which every such function must bear anyway.
            self.dead_letters.log(&json!({
                "level": "error", "function": self.mapping.function, "error": format!("the position: {error}"),
            }));
        }
        self.reached.send_replace(number);
    }
}

impl Progress {
    /// Waits until the reader has come a page further; `false` where it was at the stream's end already.
    pub(crate) async fn catch_up(&mut self, functions: &Functions) -> io::Result<bool> {
        let position = self.reached.borrow().clone();
        let records = records_after(&self.database, &self.table, position).await;
        let records = records.map_err(|error| io::Error::other(error.to_string()))?;
        let Some(last) = records.last().map(sequence_number) else { return Ok(false) };
        functions.wake();
        // Numbers have one width, so their order is the order of their texts.
        self.reached.wait_for(|reached| reached.as_str() >= last).await.map_err(io::Error::other)?;
        Ok(true)
    }
}

/// A page of the stream after a position.
async fn records_after(database: &Handle, table: &str, position: String) -> EngineResult<Vec<Value>> {
    let (database, table) = (database.0.clone(), table.to_owned());
    let look = move || -> EngineResult<Vec<Value>> {
        let after = (!position.is_empty()).then_some(position);
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream_arn(&table, "local"),
            shard_id: shard_id(&table),
            shard_iterator_type: if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" }.to_owned(),
            sequence_number: after,
        })?;
        let shard_iterator = iterator.shard_iterator.unwrap_or_default();
        let records = database.get_records(GetRecordsRequest { shard_iterator, limit: Some(PAGE) })?.records;
        records.iter().map(|record| event_record(&table, serde_json::to_value(record))).collect()
    };
    // The engine waits for its lock and the disk.
    match tokio::task::spawn_blocking(look).await {
        Ok(records) => records,
        Err(error) => Err(DynoxideError::InternalServerError(error.to_string())),
    }
}

fn sequence_number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

/// The engine's record as Lambda hands it to a function.
fn event_record(table: &str, record: serde_json::Result<Value>) -> EngineResult<Value> {
    let mut record = record.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    record["awsRegion"] = REGION.into();
    record["eventSourceARN"] = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/local").into();
    Ok(record)
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;

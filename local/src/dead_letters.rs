//! What a reader of a stream or a queue gave up on: which record, never what is in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use portal::clock::Clock;
use portal::log::Log;
use serde_json::{Value, json};

use crate::data::private;

/// The list, in a file where there is a data folder, and said in the log.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    file: Option<PathBuf>,
    letters: Mutex<Vec<Value>>,
    clock: Clock,
    log: Log,
}

impl DeadLetters {
    pub(crate) fn new(file: Option<PathBuf>, clock: Clock, log: Log) -> Self {
        Self { file, letters: Mutex::default(), clock, log }
    }

    pub(crate) fn add(&self, function: &str, table: &str, sequence_number: &str, reason: &str) {
        self.keep(json!({
            "at": self.clock.now(), "function": function, "table": table, "sequence_number": sequence_number,
            "reason": reason,
        }));
    }

    pub(crate) fn add_message(&self, function: &str, queue: &str, id: &str, reason: &str) {
        self.keep(json!({
            "at": self.clock.now(), "function": function, "queue": queue, "message": id, "reason": reason,
        }));
    }

    fn keep(&self, letter: Value) {
        let function = letter["function"].clone();
        self.log(&json!({"level": "error", "function": function, "dead_letter": letter}));
        if let Some(path) = &self.file {
            let written = private(OpenOptions::new().create(true).append(true))
                .open(path)
                .and_then(|mut file| file.write_all(format!("{letter}\n").as_bytes()));
            if let Err(error) = written {
                self.log(&json!({"level": "error", "error": format!("the dead-letter list: {error}")}));
            }
        }
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
    }

    /// Those of this run.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn log(&self, line: &Value) {
        self.log.write_local(line);
    }
}

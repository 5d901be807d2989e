//! Where the functions' log lines go: a file of the data folder, memory for the tests, or nowhere.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use portal::log::Log;
use serde_json::Value;

use crate::data::private;

/// Where log lines go.
#[derive(Debug, Clone, Default)]
pub enum LogTo {
    /// Kept in memory, for the tests to look at.
    #[default]
    Memory,
    /// Appended to a file, one JSON object a line.
    File(PathBuf),
    /// Thrown away.
    Nowhere,
}

/// Gets every line besides, whatever becomes of it.
pub type LineHook = Arc<dyn Fn(&Value) + Send + Sync>;

/// The lines kept in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Value>>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes the log. The second half holds the lines where they are kept in memory.
pub(crate) fn open(to: &LogTo, hook: Option<LineHook>) -> io::Result<(Log, Lines)> {
    let lines = Lines::default();
    let hook = move |line: &Value| {
        if let Some(hook) = &hook {
            hook(line);
        }
    };
    let log = match to {
        LogTo::Nowhere => Log::to(hook),
        LogTo::Memory => {
            let kept = lines.clone();
            Log::to(move |line| {
                hook(line);
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
            })
        }
        LogTo::File(path) => {
            let file = Mutex::new(private(OpenOptions::new().create(true).append(true)).open(path)?);
            Log::to(move |line| {
                hook(line);
                // A full disk must not fail a request; there is nowhere else to say so.
                let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(format!("{line}\n").as_bytes());
            })
        }
    };
    Ok((log, lines))
}

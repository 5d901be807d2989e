//! A bar for an import, drawn from the log lines that the import writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use local::LineHook;
use serde_json::Value;

/// The bar of the import that is running, if one is.
#[derive(Clone, Default)]
pub(crate) struct Bar(Arc<Mutex<Option<Shown>>>);

/// A bar, and how far each shard of a large batch is.
struct Shown {
    bar: ProgressBar,
    shards: BTreeMap<u64, u64>,
}

impl Bar {
    /// Draws the bar when a line tells of an import's progress:
    /// `{"import": {"batch_id": …, "done": …, "of": …}}`, of the whole batch, or of its shard with `"shard": …`.
    pub(crate) fn hook(&self) -> LineHook {
        let bar = self.clone();
        Arc::new(move |line| bar.show(line))
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.bar.finish_and_clear();
        }
    }

    fn show(&self, line: &Value) {
        let import = &line["import"];
        let (Some(done), Some(of)) = (import["done"].as_u64(), import["of"].as_u64()) else { return };
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shown { bar, shards } = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("  {msg} [{bar:32}] {human_pos} of {human_len} lines, {eta} left");
            let bar = ProgressBar::new(of);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_message(import["batch_id"].as_str().unwrap_or("import").to_owned());
            Shown { bar, shards: BTreeMap::new() }
        });
        match import["shard"].as_u64() {
            None => {
                bar.set_length(of);
                bar.set_position(done);
            }
            Some(shard) => {
                shards.insert(shard, done);
                bar.set_position(shards.values().sum());
            }
        }
    }
}

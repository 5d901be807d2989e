//! How an operation ends: an answer for whoever asked, and a line for the log, which learns less.

use jiff::Timestamp;
use portal::environment::rng;
use portal::store::{StaffAct, StaffEvent, StoreError};
use serde_json::{Value, json};

use crate::Function;
use crate::fields::Author;

/// What was done.
pub(crate) struct Done {
    pub(crate) answer: Value,
    /// Names no member.
    pub(crate) told: Value,
}

impl Done {
    /// An answer that the log may have as it is.
    pub(crate) fn openly(answer: Value) -> Self {
        Self { told: answer.clone(), answer }
    }

    /// An answer of which the log learns that it was given.
    pub(crate) fn quietly(act: StaffAct, answer: Value) -> Self {
        Self { answer, told: json!({"done": act}) }
    }
}

impl Author {
    /// What they do, as evidence.
    pub(crate) fn event(&self, act: StaffAct, detail: String, now: Timestamp) -> StaffEvent {
        StaffEvent::new(&self.staff, &self.reason, act, detail, now, &mut rng())
    }
}

impl Function {
    /// Writes that something was looked at, before it is shown.
    pub(crate) async fn note(
        &self,
        author: &Author,
        act: StaffAct,
        detail: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.create(&author.event(act, detail, now)).await
    }
}

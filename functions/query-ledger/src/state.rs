//! The state of the ledger that an answer shows.

use jiff::Timestamp;
use portal::store::{Account, Booked, Entry};
use serde::Serialize;

/// The state that an answer shows, as it names it: nothing that was booked before `as_of` is missing.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct StateBody {
    /// The instant at which the last of it was booked; before anything was, that at which the account came.
    as_of: Timestamp,
    /// The count of entries that were posted to what the answer is of, where all of these were read or counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    postings: Option<u64>,
}

impl StateBody {
    pub(crate) fn new(booked: Booked, account: &Account) -> Self {
        Self { as_of: booked.at.unwrap_or(account.booked_at), postings: Some(booked.postings) }
    }

    /// The same, without the number where that is not known.
    pub(crate) fn without_number(self, is_unknown: bool) -> Self {
        Self { postings: self.postings.filter(|_| !is_unknown), ..self }
    }
}

/// The state that some entries come to, all that an action or a transfer has.
pub(crate) fn of_entries(instants: impl ExactSizeIterator<Item = Timestamp>) -> Booked {
    Booked { postings: instants.len() as u64, at: instants.max(), ..Booked::default() }
}

/// Tells whether an entry was booked by then.
pub(crate) fn is_of(entry: &Entry, booked: Booked) -> bool {
    booked.at.is_some_and(|at| entry.booked_at <= at)
}

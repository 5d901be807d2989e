//! `reconcile`: holds what the ledger keeps beside its entries (totals, facets, the sums of actions, transfers)
//! against the entries alone, account by account.
//!
//! It reads the tables and never writes to them. Posting computes from what it read before; this adds up from nothing, so a
//! fault of the one is not a fault of the other ([0058](../../../docs/decisions/0058-reconciling.md)). What an hour's run found
//! true it writes down where nobody can change it ([`digest`]).

mod account;
mod account_totals;
mod bucket;
pub mod digest;
mod drift;
mod history;
mod misposted;
mod posted;
mod reading;
mod request;
mod sums;
mod waits;

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use portal::clock::Clock;
use portal::domain::MemberNumber;
use portal::environment::{Environment, StartError};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::log::Metric;
use portal::store::{AllWaits, Store, StoreError, Table, WaitsFor};
use serde::Serialize;
use serde_json::Value;

use crate::bucket::{Bucket, BucketError};
use crate::digest::{Digest, Line};
pub use crate::drift::Drift;
use crate::request::Request;
pub use crate::waits::Elsewhere;
use crate::waits::Named;

/// After this no other account is begun. The function has 15 minutes, and the largest account needs seconds.
const BEGINS_FOR: Duration = Duration::from_secs(720);

/// How many accounts are read beside each other: the wait is for the network.
const AT_ONCE: usize = 4;

/// How many drifts are listed; all are counted.
const MOST_LISTED: usize = 100;

/// The most records that wait which are listed; all are counted.
const MOST_WAITING: usize = 100;

/// Records that have waited for longer are told in the log. An alarm watches the age by the same figure.
const WAITS_FOR_LONG: Duration = Duration::from_hours(96);

/// How many drifts go into the log line, which has room for some five.
const MOST_LOGGED: usize = 10;

/// The function.
#[derive(Debug, Clone)]
pub struct Function {
    store: Store,
    clock: Clock,
    digests: Bucket,
    /// How many items are read at once; without it, the megabyte that DynamoDB gives.
    page: Option<i32>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many accounts were read.
    pub accounts: u64,
    /// How many there were to read, those behind `after` included.
    pub of: u64,
    /// How many entries they have.
    pub entries: u64,
    /// How many fields are not what the entries add up to.
    pub drift: u64,
    /// The first of them.
    pub listed: Vec<Drift>,
    /// The accounts that were posted to all the time: nothing is known of them.
    pub busy: Vec<MemberNumber>,
    /// All that waits; of the one account that was asked for, where one was.
    pub waiting: AllWaits,
    /// The first of the actions that were met in one account and are awaited in another one.
    pub elsewhere: Vec<Elsewhere>,
    /// Where to go on, where time or `most` ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<MemberNumber>,
    /// The key of the digest of an hour's run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The accounts of a run: what a digest says of them.
#[derive(Debug, Default)]
struct Attested {
    lines: Vec<Line>,
    left_out: Vec<MemberNumber>,
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The event is none that this function knows.
    #[error("the event is neither {{\"account\": …}} nor {{\"after\": …, \"most\": …}} nor a schedule's: {0}")]
    Event(String),
    /// Nobody sends the rest of an hour's accounts back, so that time ended it is an error, not a place to go on from.
    #[error(
        "{left} of {of} accounts of this hour were not reached in {} minutes: have them read by hand with {{\"after\": …}}, \
         and the function given more memory, which is more processor",
        BEGINS_FOR.as_secs() / 60
    )]
    OutOfTime {
        /// How many were not.
        left: u64,
        /// How many there were.
        of: u64,
    },
    /// The store failed; a repeat begins again at the same place.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// The digest cannot be made.
    #[error("the digest cannot be written: {0}")]
    Digest(#[from] std::io::Error),
    /// The bucket did not take the digest; a repeat reads the accounts again.
    #[error("the digest is not kept: {0}")]
    Bucket(#[from] BucketError),
}

impl Report {
    /// Says of the listed records that wait which of them have their action in another account, as far as that was met.
    fn point_elsewhere(&mut self) {
        for wait in self.waiting.oldest.iter_mut().filter(|wait| wait.waits_for != WaitsFor::Source) {
            let met = self
                .elsewhere
                .iter()
                .find(|met| wait.action_id.as_ref() == Some(&met.action_id) && met.awaited_in.contains(&wait.account));
            wait.action_in = met.map(|met| met.account.clone());
        }
    }
}

impl EventFunction for Function {
    const NAME: &'static str = "reconcile";
    type Event = Value;
    type Outcome = Report;
    type Error = ReconcileError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::connect(environment, &[Table::Members, Table::Ledger])?,
            clock: environment.clock.clone(),
            digests: Bucket::connect(environment)?,
            page: None,
        })
    }

    async fn handle(&self, event: Value) -> Result<Report, ReconcileError> {
        let request = Request::read(event).map_err(ReconcileError::Event)?;
        let one = match &request {
            Request::One(account) => Some(account),
            _ => None,
        };
        let (waiting, named) = waits::read(&self.store, one, MOST_WAITING).await?;
        let chosen = match one {
            Some(account) => vec![account.clone()],
            None => {
                // What waits for a member that never came is held too.
                let mut all = self.store.member_numbers().await?;
                all.extend(named.awaited.accounts());
                request.choose(all)
            }
        };
        let (mut report, digest) = self.walk(chosen, request.most(), &named).await?;
        if let Request::Hour(hour) = request {
            report.digest = Some(self.keep(hour, digest).await?);
        }
        report.waiting = waiting;
        report.point_elsewhere();
        self.tell(&report);
        match request {
            Request::Hour(_) if report.after.is_some() => {
                Err(ReconcileError::OutOfTime { left: report.of - report.accounts, of: report.of })
            }
            _ => Ok(report),
        }
    }
}

impl Function {
    /// Reads so many items at once, so that a small account takes several pages as a large one does.
    #[must_use]
    pub fn in_pages_of(mut self, items: i32) -> Self {
        self.page = Some(items);
        self
    }

    async fn walk(
        &self,
        chosen: Vec<MemberNumber>,
        most: usize,
        named: &Named,
    ) -> Result<(Report, Attested), StoreError> {
        let until = self.clock.now() + BEGINS_FOR;
        let mut report = Report { of: chosen.len() as u64, ..Report::default() };
        let mut attested = Attested::default();
        let begun = chosen.into_iter().take(most).take_while(|_| self.clock.now() < until);
        let mut checks = stream::iter(begun)
            .map(|number| account::check(&self.store, number, self.page, named, self.clock.now()))
            // In their order, so that one number says where to go on.
            .buffered(AT_ONCE);
        while let Some(checked) = checks.try_next().await? {
            report.accounts += 1;
            report.entries += checked.entries;
            if checked.busy || checked.found.count > 0 {
                attested.left_out.push(checked.account.clone());
            } else {
                attested.lines.push(Line { account: checked.account.clone(), views: checked.heads });
            }
            if checked.busy {
                report.busy.push(checked.account.clone());
            } else {
                report.drift += checked.found.count;
                let room = MOST_LISTED - report.listed.len();
                report.listed.extend(checked.found.kept.into_iter().take(room));
            }
            let here = checked.here.into_iter().map(|action_id| named.elsewhere(action_id, &checked.account));
            report.elsewhere.extend(here.take(MOST_LISTED.saturating_sub(report.elsewhere.len())));
            report.after = Some(checked.account);
        }
        report.after = report.after.filter(|_| report.accounts < report.of);
        Ok((report, attested))
    }

    /// Writes the digest of an hour's run; returns where it is.
    async fn keep(&self, hour: Timestamp, Attested { lines, left_out }: Attested) -> Result<String, ReconcileError> {
        let key = Digest::key(hour);
        let digest = Digest { hour, lines, left_out };
        if !self.digests.write_once(&key, digest.write()?).await? {
            invocation::warn("the digest of this hour is there already, and stays as it is");
        }
        Ok(key)
    }

    fn tell(&self, report: &Report) {
        let Report { accounts, entries, drift, listed, busy, waiting, .. } = report;
        invocation::count(Metric::Drift, *drift);
        let age = waiting.since.map_or(0, |since| self.clock.now().duration_since(since).as_secs().max(0));
        invocation::count(Metric::LongestWait, age.unsigned_abs());
        invocation::tell("waiting", waiting.records);
        if age.unsigned_abs() > WAITS_FOR_LONG.as_secs()
            && let Some(oldest) = waiting.oldest.first()
        {
            let (source, key, batch) = (&oldest.source, &oldest.source_key, &oldest.batch_id);
            invocation::warn(format!("{} wait, first {source} {key} of batch {batch}", waiting.records));
        }
        for (name, number) in [("accounts", *accounts), ("entries", *entries), ("busy", busy.len() as u64)] {
            invocation::tell(name, number);
        }
        for drift in listed.iter().take(MOST_LOGGED) {
            invocation::trouble(drift.to_string());
        }
        if !busy.is_empty() {
            invocation::warn("posted to all the time: nothing is known of these");
        }
    }
}

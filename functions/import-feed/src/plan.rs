//! What a run that posts a large batch in pieces keeps in the work bucket, and where.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use portal::domain::to_hex;
use serde::{Deserialize, Serialize};

use crate::awaited::Due;
use crate::feed::Manifest;
use crate::report::Report;
use crate::split::shard_of;

/// The members' shard: it is posted before any other.
pub(crate) const MEMBERS: u32 = 0;

/// A run: how a batch was cut, and what is known of it so far. Written once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The batch's folder in the feed bucket: empty, or with a slash at its end.
    pub folder: String,
    /// The manifest as it was when the batch was checked.
    pub manifest: Manifest,
    /// When the batch arrived.
    pub started: Timestamp,
    /// The shards: members first, then the ledger by account, then withdrawals, then balances.
    pub shards: Vec<Shard>,
    /// What is counted already: the lines that are no records.
    pub report: Report,
}

/// A shard: lines of some accounts, in the order of the files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shard {
    /// Its number of part objects.
    pub parts: u32,
    /// Its lines.
    pub lines: u64,
}

/// How far a shard is posted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The first part that is not posted.
    pub next: u32,
    /// Lines that are.
    pub lines: u64,
    /// What they came to, but for those that wait.
    pub report: Report,
    /// The objects that list the lines that had to wait for their actions.
    pub waiting: Vec<String>,
    /// Lines of members whose SIRET another account had.
    pub taken: Vec<String>,
    /// How many accounts of the shard have all that waited for them.
    #[serde(default)]
    pub admitted: usize,
}

impl Plan {
    /// The shards of accounts that hold something, or to whose accounts records wait to be posted.
    pub(crate) fn of_accounts(&self, due: &Due) -> BTreeSet<u32> {
        let filled = self.filled().filter(|shard| *shard != MEMBERS && *shard < self.withdrawals());
        filled.chain(due.accounts.iter().map(|(number, _)| shard_of(number, self.account_shards()))).collect()
    }

    /// How many shards there are of accounts: all but those of members, withdrawals and balances.
    pub(crate) fn account_shards(&self) -> u32 {
        u32::try_from(self.shards.len()).unwrap_or(u32::MAX).saturating_sub(3)
    }

    /// The withdrawals' shard: it is posted after all others, because no withdrawal says whose it is.
    pub(crate) fn withdrawals(&self) -> u32 {
        self.account_shards() + 1
    }

    /// The balances' shard: it is read when all that the batch posts is posted.
    pub(crate) fn balances(&self) -> u32 {
        self.account_shards() + 2
    }

    /// The shards that hold something.
    pub(crate) fn filled(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.shards).filter(|(_, shard)| shard.parts > 0).map(|(number, _)| number)
    }
}

/// Where a run's objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run(pub String);

impl Run {
    /// The run of one arrival of a manifest: the same event makes the same run, another arrival another one.
    pub(crate) fn of(folder: &str, arrival: &str) -> Self {
        let hash = digest(&SHA256, format!("{folder}\n{arrival}").as_bytes());
        Self(to_hex(&hash.as_ref()[..8]))
    }

    /// Everything but the tasks.
    pub(crate) fn folder(&self) -> String {
        format!("runs/{}/", self.0)
    }

    /// The plan.
    pub(crate) fn plan(&self) -> String {
        format!("runs/{}/plan.json", self.0)
    }

    /// Says that the report is written, to whoever comes late.
    pub(crate) fn done(&self) -> String {
        format!("done/{}.json", self.0)
    }

    /// The accounts that have come, and that records wait for.
    pub(crate) fn due(&self) -> String {
        format!("runs/{}/due.json", self.0)
    }

    /// Part of a shard.
    pub(crate) fn part(&self, shard: u32, part: u32) -> String {
        format!("runs/{}/parts/{shard:04}/{part:06}", self.0)
    }

    /// How far a shard is.
    pub(crate) fn checkpoint(&self, shard: u32) -> String {
        format!("runs/{}/checkpoints/{shard:04}.json", self.0)
    }

    /// The last checkpoints of the shards that are posted.
    pub(crate) fn finished(&self) -> String {
        format!("runs/{}/finished/", self.0)
    }

    /// The last checkpoint of a shard, when it is posted.
    pub(crate) fn finished_shard(&self, shard: u32) -> String {
        format!("runs/{}/finished/{shard:04}.json", self.0)
    }

    /// Lines that waited. Named by what it holds: an attempt that was lost may have seen others.
    pub(crate) fn waiting(&self, shard: u32, part: u32, content: &[u8]) -> String {
        let hash = to_hex(&digest(&SHA256, content).as_ref()[..8]);
        format!("runs/{}/waiting/{shard:04}/{part:06}-{hash}", self.0)
    }
}

/// A task: its object's arrival puts it into the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub run: Run,
    pub shard: u32,
    /// The first part to post; it only tells tasks of a shard apart.
    pub from: u32,
}

impl Task {
    /// Its object.
    pub(crate) fn key(&self) -> String {
        format!("tasks/{}/{:04}-{:06}.json", self.run.0, self.shard, self.from)
    }

    /// The task of an object; `None` where it is none.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let (run, name) = key.strip_prefix("tasks/")?.split_once('/')?;
        let (shard, from) = name.strip_suffix(".json")?.split_once('-')?;
        let task = Self { run: Run(run.to_owned()), shard: shard.parse().ok()?, from: from.parse().ok()? };
        (task.key() == key).then_some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_what_its_key_says() {
        let task = Task { run: Run::of("a/", "1"), shard: 7, from: 12 };
        assert_eq!(Task::parse(&task.key()), Some(task));
        for key in ["tasks/x/7-12.json", "tasks/x/0007-000012", "runs/x/0007-000012.json", "tasks/0007-000012.json"] {
            assert_eq!(Task::parse(key), None, "{key}");
        }
    }

    #[test]
    fn one_arrival_is_one_run() {
        assert_eq!(Run::of("a/", "1"), Run::of("a/", "1"));
        assert_ne!(Run::of("a/", "1"), Run::of("a/", "2"));
        assert_ne!(Run::of("a/", "1"), Run::of("b/", "1"));
    }
}

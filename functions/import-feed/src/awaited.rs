//! The members that records wait for: which of them have come, and which are still awaited.

use jiff::Timestamp;
use portal::domain::MemberNumber;
use portal::store::{Account, AwaitedMember, Batch, Page};
use serde::{Deserialize, Serialize};

use crate::ImportError;
use crate::feed::Manifest;
use crate::post::Poster;
use crate::report::Report;
use crate::tables::Tables;

/// How many accounts are asked for at once.
const ACCOUNTS_AT_ONCE: usize = 100;

/// How many awaited members a report names; all are counted.
const MOST_NAMED: usize = 100;

/// The members that records wait for, of this and of earlier batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// How many members.
    pub members: u64,
    /// How many records.
    pub records: u64,
    /// Since when the first of them waits.
    pub since: Timestamp,
    /// Those that are awaited longest.
    pub longest: Vec<AwaitedNumber>,
}

/// A member that records wait for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AwaitedNumber {
    /// Since when.
    pub since: Timestamp,
    /// Its number.
    pub member_number: MemberNumber,
    /// How many records.
    pub records: u64,
}

impl Awaited {
    fn add(awaited: Option<Self>, member: AwaitedMember) -> Self {
        let AwaitedMember { member_number, records, since, .. } = member;
        let mut all = awaited.unwrap_or(Self { members: 0, records: 0, since, longest: Vec::new() });
        all.members += 1;
        all.records += records;
        all.since = all.since.min(since);
        all.longest.push(AwaitedNumber { since, member_number, records });
        if all.longest.len() >= 2 * MOST_NAMED {
            all.trim();
        }
        all
    }

    fn trim(&mut self) {
        self.longest.sort();
        self.longest.truncate(MOST_NAMED);
    }
}

/// The accounts that have come and that records wait for, with how many.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Due {
    pub accounts: Vec<(MemberNumber, u64)>,
}

impl Due {
    /// How many records wait for them.
    pub(crate) fn records(&self) -> u64 {
        self.accounts.iter().map(|(_, records)| *records).sum()
    }
}

impl<T: Tables> Poster<T> {
    /// The accounts that have come and that records wait for: usually none, which is one read.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn due(&self) -> Result<Due, ImportError> {
        let mut due = Due::default();
        let mut query = AwaitedMember::all();
        loop {
            let Page { items, next } = self.store.query::<AwaitedMember>(&query).await?;
            for some in items.chunks(ACCOUNTS_AT_ONCE) {
                let mut batch = Batch::new();
                let wanted: Vec<_> =
                    some.iter().map(|awaited| batch.want::<Account>(Account::key_of(&awaited.member_number))).collect();
                let mut fetched = self.store.fetch(batch).await?;
                for (awaited, wanted) in some.iter().zip(&wanted) {
                    if fetched.take(wanted)?.is_some() {
                        due.accounts.push((awaited.member_number.clone(), awaited.records));
                    }
                }
            }
            if next.is_none() {
                return Ok(due);
            }
            query = query.after(next);
        }
    }

    /// Posts what waits for these accounts.
    ///
    /// # Errors
    /// Where the store fails for longer than trying again helps.
    pub(crate) async fn admit_all(
        &self,
        manifest: &Manifest,
        due: &Due,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let context = self.context(manifest, None);
        for (account, _) in &due.accounts {
            let count = |released: Vec<_>| released.into_iter().for_each(|released| report.release(&released));
            self.admit(&context, account, count, || true).await?;
        }
        Ok(())
    }

    /// Whom records wait for; `None` where they wait for nobody.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn awaited(&self) -> Result<Option<Awaited>, ImportError> {
        let mut awaited = None;
        let mut query = AwaitedMember::all();
        loop {
            let Page { items, next } = self.store.query::<AwaitedMember>(&query).await?;
            awaited = items.into_iter().fold(awaited, |all, member| Some(Awaited::add(all, member)));
            if next.is_none() {
                if let Some(awaited) = &mut awaited {
                    awaited.trim();
                }
                return Ok(awaited);
            }
            query = query.after(next);
        }
    }
}

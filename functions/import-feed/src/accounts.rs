//! Posts the records of many accounts, several accounts at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use portal::domain::{Identifier, MemberNumber, Siret};
use portal::store::{Account, Batch, BatchLine};

use crate::ImportError;
use crate::feed::{LedgerRecord, Manifest, Reason};
use crate::groups::Groups;
use crate::post::{FromLine, Poster, Released};
use crate::posting::Verdict;
use crate::report::Origin;
use crate::tables::Tables;

/// How many accounts are posted to at the same time. Each waits for DynamoDB most of the time, and holds what its
/// transactions are made of: with sixteen the memory of a worker grew with the accounts of a piece.
const ACCOUNTS_AT_ONCE: usize = 8;

/// What became of records.
pub(crate) struct Posted {
    /// The verdict of each.
    pub verdicts: Vec<(Origin, Verdict)>,
    /// What had waited for their actions.
    pub released: Vec<Released>,
}

impl<T: Tables> Poster<T> {
    /// Posts records; those of accounts that are not known are quarantined.
    ///
    /// `run` names the run where it may post these lines twice and is to count them once.
    ///
    /// # Errors
    /// Where the store fails for longer than trying again helps.
    pub(crate) async fn post_lines(
        &self,
        manifest: &Manifest,
        run: Option<&str>,
        good: Vec<(LedgerRecord, Origin)>,
        advance: impl Fn(u64) + Send + Sync,
    ) -> Result<Posted, ImportError> {
        let numbers: BTreeSet<MemberNumber> = good.iter().map(|(record, _)| record.member_number().clone()).collect();
        let sirets = self.sirets(&numbers).await?;
        let mut all = Posted { verdicts: Vec::with_capacity(good.len()), released: Vec::new() };
        let mut groups: Vec<BoxFuture<'_, Result<_, ImportError>>> = Vec::new();
        for group in together(good) {
            let (mut records, mut origins) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
            for (record, origin) in group {
                if let Some(siret) = sirets.get(record.member_number()) {
                    let line = BatchLine::of(origin.file_index, origin.line);
                    records.push(FromLine { record, siret: siret.clone(), line });
                    origins.push(origin);
                } else {
                    let reason = Reason::in_field("unknown-member", "member_number");
                    all.verdicts.push((origin, Verdict::Quarantined(reason)));
                    advance(1);
                }
            }
            let advance = &advance;
            groups.push(Box::pin(async move { Ok((origins, self.post(manifest, run, records, advance).await?)) }));
        }
        let mut groups = futures::stream::iter(groups).buffer_unordered(ACCOUNTS_AT_ONCE);
        while let Some((origins, (verdicts, mut released))) = groups.try_next().await? {
            all.verdicts.extend(origins.into_iter().zip(verdicts));
            all.released.append(&mut released);
        }
        Ok(all)
    }

    /// The establishments of the accounts that there are.
    async fn sirets(&self, numbers: &BTreeSet<MemberNumber>) -> Result<BTreeMap<MemberNumber, Siret>, ImportError> {
        let mut batch = Batch::new();
        let wanted: Vec<_> = numbers.iter().map(|number| batch.want::<Account>(Account::key_of(number))).collect();
        let mut sirets = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(sirets);
        }
        let mut fetched = self.store.fetch(batch).await?;
        for account in &wanted {
            if let Some(account) = fetched.take(account)? {
                sirets.insert(account.member_number, account.siret);
            }
        }
        Ok(sirets)
    }
}

/// Records that are posted one after the other: those of an account, and those of accounts between which
/// a source key or an action moves, so that its versions are posted in the order of the file.
fn together(records: Vec<(LedgerRecord, Origin)>) -> Vec<Vec<(LedgerRecord, Origin)>> {
    let mut groups = Groups::default();
    let mut of_account: HashMap<MemberNumber, usize> = HashMap::new();
    let mut of_key: HashMap<Identifier, usize> = HashMap::new();
    let mut of_action: HashMap<Identifier, usize> = HashMap::new();
    for (record, _) in &records {
        let group = *of_account.entry(record.member_number().clone()).or_insert_with(|| groups.add());
        let other = *of_key.entry(record.source_key().clone()).or_insert(group);
        groups.join(group, other);
        if let Some(action_id) = record.action_id() {
            let other = *of_action.entry(action_id.clone()).or_insert(group);
            groups.join(group, other);
        }
    }
    let mut together: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for (record, origin) in records {
        let group = of_account.get(record.member_number()).map_or(0, |group| groups.root(*group));
        together.entry(group).or_default().push((record, origin));
    }
    together.into_values().collect()
}

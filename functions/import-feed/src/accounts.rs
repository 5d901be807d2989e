//! Posts the records of many accounts, several accounts at a time.

use std::collections::{BTreeMap, HashMap};

use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use portal::domain::{Identifier, MemberNumber};
use portal::store::BatchLine;

use crate::ImportError;
use crate::feed::{LedgerRecord, Manifest};
use crate::groups::Groups;
use crate::post::{Decided, FromLine, Poster, Released};
use crate::posting::NamedLine;
use crate::report::Origin;
use crate::tables::Tables;

/// How many accounts are posted to at the same time. Each waits for DynamoDB most of the time, and holds what its
/// transactions are made of: with sixteen the memory of a worker grew with the accounts of a piece.
const ACCOUNTS_AT_ONCE: usize = 8;

/// What became of records.
pub(crate) struct Posted {
    /// What became of each.
    pub decisions: Vec<(Origin, Decided)>,
    /// What had waited for its member or its action.
    pub released: Vec<Released>,
}

impl<T: Tables> Poster<T> {
    /// Posts records; those of accounts that are not known wait.
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
        let mut all = Posted { decisions: Vec::with_capacity(good.len()), released: Vec::new() };
        let Together { groups, with_withdrawals } = together(good);
        for groups in [groups, with_withdrawals] {
            let mut posting: Vec<BoxFuture<'_, Result<_, ImportError>>> = Vec::with_capacity(groups.len());
            for group in groups {
                let (mut records, mut origins) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
                for (record, origin) in group {
                    let at = BatchLine::of(origin.file_index, origin.line);
                    records.push(FromLine { record, line: NamedLine { at, file: origin.file.clone() } });
                    origins.push(origin);
                }
                let advance = &advance;
                posting.push(Box::pin(async move { Ok((origins, self.post(manifest, run, records, advance).await?)) }));
            }
            let mut posting = futures::stream::iter(posting).buffer_unordered(ACCOUNTS_AT_ONCE);
            while let Some((origins, (decisions, mut released))) = posting.try_next().await? {
                all.decisions.extend(origins.into_iter().zip(decisions));
                all.released.append(&mut released);
            }
        }
        Ok(all)
    }
}

/// Records in groups, each of which is posted one after the other.
struct Together {
    /// Those without a withdrawal.
    groups: Vec<Vec<(LedgerRecord, Origin)>>,
    /// The one with all withdrawals, where there are any.
    with_withdrawals: Vec<Vec<(LedgerRecord, Origin)>>,
}

/// The records of an account belong together, and those of accounts between which a source key or an action moves, so
/// that its versions are posted in the order of the file. So do all withdrawals, with what else has their keys: an action
/// is withdrawn after its entries, and nothing in a withdrawal says whose they are. The others are posted first, as what
/// they say may take the last entry from an action that is withdrawn.
fn together(records: Vec<(LedgerRecord, Origin)>) -> Together {
    let mut groups = Groups::default();
    let mut of_account: HashMap<MemberNumber, usize> = HashMap::new();
    let mut of_key: HashMap<Identifier, usize> = HashMap::new();
    let mut of_action: HashMap<Identifier, usize> = HashMap::new();
    let mut of_withdrawals = None;
    for (record, _) in &records {
        let group = match record.member_number() {
            Some(number) => *of_account.entry(number.clone()).or_insert_with(|| groups.add()),
            None => *of_withdrawals.get_or_insert_with(|| groups.add()),
        };
        let other = *of_key.entry(record.source_key().clone()).or_insert(group);
        groups.join(group, other);
        if let Some(action_id) = record.action_id() {
            let other = *of_action.entry(action_id.clone()).or_insert(group);
            groups.join(group, other);
        }
    }
    let mut together: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for (record, origin) in records {
        let group = of_key.get(record.source_key()).map_or(0, |group| groups.root(*group));
        together.entry(group).or_default().push((record, origin));
    }
    let with_withdrawals = of_withdrawals.and_then(|group| together.remove(&groups.root(group)));
    Together { groups: together.into_values().collect(), with_withdrawals: with_withdrawals.into_iter().collect() }
}

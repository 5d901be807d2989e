//! The proof of accounts against digests.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use portal::domain::{MemberNumber, View};
use portal::store::{Chain, Fingerprint, Store, StoreError};
use reconcile::digest::Head;
use serde::Serialize;

use crate::digests::{Attested, Digests};
use crate::entries::Entries;
use crate::fault::Fault;

/// The count of accounts that are read beside each other: the wait is for the network.
const AT_ONCE: usize = 8;

/// A fault, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Faulty {
    /// The account.
    pub account: MemberNumber,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
}

/// The outcome of a proof.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The count of accounts that were read.
    pub accounts: u64,
    /// The count of their entries.
    pub entries: u64,
    /// The count of those that are newer than what the newest digest of their account names: of them nothing is proven yet.
    pub newer: u64,
    /// Nothing, where the ledger is what the digests say.
    pub faults: Vec<Faulty>,
}

/// Holds the entries of every account that digests name against these. `page` is how many items are read at once, without it
/// the megabyte that DynamoDB gives; `progress` is told the number of accounts that are done.
///
/// # Errors
/// Where the store fails.
pub async fn prove(
    store: &Store,
    digests: &Digests,
    page: Option<i32>,
    progress: impl Fn(u64),
) -> Result<Proof, StoreError> {
    let mut proofs = stream::iter(&digests.accounts)
        .map(async |(account, attested)| {
            let entries = Entries::read(store, account, page).await?;
            Ok::<_, StoreError>((account, of_account(entries, attested)))
        })
        .buffered(AT_ONCE);
    let mut all = Proof::default();
    while let Some((account, proof)) = proofs.try_next().await? {
        all.accounts += 1;
        all.entries += proof.entries;
        all.newer += proof.newer;
        all.faults.extend(proof.faults.into_iter().map(|fault| Faulty { account: account.clone(), fault }));
        progress(all.accounts);
    }
    Ok(all)
}

struct OfAccount {
    entries: u64,
    newer: u64,
    faults: Vec<Fault>,
}

fn of_account(entries: Entries, attested: &[Attested]) -> OfAccount {
    let Entries { mut views, count, unreadable } = entries;
    let mut heads: BTreeMap<View, Vec<(Head, Timestamp)>> = BTreeMap::new();
    for Attested { hour, views } in attested {
        for (view, head) in views {
            heads.entry(*view).or_default().push((*head, *hour));
        }
    }
    let mut faults: Vec<_> = unreadable.into_iter().map(|item| Fault::Unreadable { item }).collect();
    let mut newer = 0;
    for (view, heads) in heads {
        let (of_view, mut found) = of_view(view, heads, views.remove(&view).unwrap_or_default());
        newer += of_view;
        faults.append(&mut found);
    }
    newer += views.values().map(|entries| entries.len() as u64).sum::<u64>();
    OfAccount { entries: count, newer, faults }
}

/// Goes through the entries of a view by their numbers, and at each number that a digest names compares the hash. From there it
/// goes on with the digest's hash, so that what is wrong before it is told once.
///
/// Entries are only added, and those of a digest were there before the reading began: so a number that is missing was taken
/// out, and none that is being posted.
fn of_view(view: View, mut heads: Vec<(Head, Timestamp)>, mut entries: Vec<(u64, Fingerprint)>) -> (u64, Vec<Fault>) {
    heads.sort_by_key(|(head, hour)| (head.postings, *hour));
    entries.sort_unstable_by_key(|(number, _)| *number);
    let mut entries = entries.into_iter().peekable();
    let mut faults = Vec::new();
    let mut chain = Chain::default();
    for (head, digest) in heads {
        let (from, faults_before) = (chain.next(), faults.len());
        while let Some((number, fingerprint)) = entries.next_if(|(number, _)| *number <= head.postings) {
            if number < chain.next() {
                faults.push(Fault::Twice { view, number, digest });
                continue;
            }
            if number > chain.next() {
                faults.push(Fault::Missing { view, from: chain.next(), to: number - 1, digest });
                chain.postings = number - 1;
            }
            chain.append(fingerprint);
        }
        if chain.postings < head.postings {
            faults.push(Fault::Missing { view, from: chain.next(), to: head.postings, digest });
        }
        if faults.len() == faults_before && chain.hash != head.chain {
            faults.push(match from <= head.postings {
                true => Fault::Altered { view, from, to: head.postings, digest },
                false => Fault::Contradicting { view, digest },
            });
        }
        chain = Chain { postings: head.postings, hash: head.chain };
    }
    (entries.count() as u64, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: [&str; 3] = ["2026-11-28T09:00:00Z", "2026-11-29T09:00:00Z", "2026-11-30T09:00:00Z"];

    fn hour(day: usize) -> Timestamp {
        HOURS[day].parse().unwrap()
    }

    fn view() -> View {
        View::parse("2012").unwrap()
    }

    /// The hash of an entry that is altered where `content` is another.
    fn entry(number: u64, content: &str) -> (u64, Fingerprint) {
        (number, Fingerprint::of_parts(&(number, content)).unwrap())
    }

    fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<(u64, Fingerprint)> {
        numbers.into_iter().map(|number| entry(number, "as posted")).collect()
    }

    fn head(postings: u64) -> Head {
        let mut chain = Chain::default();
        entries(1..=postings).into_iter().for_each(|(_, fingerprint)| chain.append(fingerprint));
        Head::from(chain)
    }

    /// The digests of three days have two, four and six entries, of what are seven by now.
    fn proven(entries: Vec<(u64, Fingerprint)>) -> (u64, Vec<Fault>) {
        of_view(view(), (0..3).map(|day| (head(2 * day as u64 + 2), hour(day))).collect(), entries)
    }

    #[test]
    fn a_ledger_that_only_grew_is_proven() {
        assert_eq!(proven(entries([7, 3, 1, 2, 6, 5, 4])), (1, vec![]));
        assert_eq!(proven(entries(1..=6)), (0, vec![]));
        assert_eq!(of_view(view(), vec![], entries(1..=6)), (6, vec![]));
    }

    #[test]
    fn an_altered_entry_is_told_between_the_digests_around_it() {
        let altered = |number: u64| {
            let mut entries = entries(1..=7);
            entries[number as usize - 1] = entry(number, "falsified");
            proven(entries).1
        };
        let of = |from, to, day| vec![Fault::Altered { view: view(), from, to, digest: hour(day) }];
        assert_eq!(altered(1), of(1, 2, 0));
        assert_eq!(altered(3), of(3, 4, 1));
        assert_eq!(altered(6), of(5, 6, 2));
        assert_eq!(altered(7), vec![], "no digest has it yet");
    }

    #[test]
    fn entries_in_another_order_are_altered() {
        let [(one, first), (two, second)] = [entry(3, "as posted"), entry(4, "as posted")];
        let mut swapped = entries(1..=7);
        (swapped[2], swapped[3]) = ((one, second), (two, first));
        assert_eq!(proven(swapped).1, vec![Fault::Altered { view: view(), from: 3, to: 4, digest: hour(1) }]);
    }

    #[test]
    fn what_is_missing_or_twice_is_told_by_its_number() {
        let missing = |from, to, day| Fault::Missing { view: view(), from, to, digest: hour(day) };
        assert_eq!(proven(entries([1, 2, 4, 5, 6, 7])).1, vec![missing(3, 3, 1)]);
        assert_eq!(proven(entries([1, 2, 3, 4])).1, vec![missing(5, 6, 2)], "a table of an earlier day");
        assert_eq!(proven(entries([1, 4, 5, 6])).1, vec![missing(2, 2, 0), missing(3, 3, 1)]);
        assert_eq!(proven(vec![]).1, vec![missing(1, 2, 0), missing(3, 4, 1), missing(5, 6, 2)]);
        let twice = Fault::Twice { view: view(), number: 5, digest: hour(2) };
        assert_eq!(proven(entries([1, 2, 3, 4, 5, 5, 6])).1, vec![twice]);
    }

    #[test]
    fn digests_that_contradict_each_other_are_told() {
        let other = Head { chain: head(1).chain, ..head(2) };
        let (_, faults) = of_view(view(), vec![(head(2), hour(0)), (other, hour(1))], entries(1..=2));
        assert_eq!(faults, vec![Fault::Contradicting { view: view(), digest: hour(1) }]);
    }

    #[test]
    fn a_fault_says_which_entries() {
        let said = |fault: Fault| fault.to_string();
        let digest = hour(2);
        assert_eq!(
            said(Fault::Altered { view: view(), from: 41, to: 57, digest }),
            "view 2012: entries 41 to 57 are not what the digest of 2026-11-30T09:00:00Z has"
        );
        assert_eq!(
            said(Fault::Missing { view: view(), from: 43, to: 43, digest }),
            "view 2012: entry 43 is missing, which the digest of 2026-11-30T09:00:00Z has"
        );
    }
}

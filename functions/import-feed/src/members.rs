//! Posts member accounts: the account, and the establishment that people find it by.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use portal::domain::{MemberNumber, Siret};
use portal::environment::rng;
use portal::store::{
    Account, Batch, Change, Condition, Establishment, Grant, GrantMirror, Key, Manager, Outcome, Record as _, Store,
    StoreError, Transaction,
};

use crate::ImportError;
use crate::feed::{MemberRecord, Reason};
use crate::posting::Verdict;

/// How many accounts are posted at the same time.
const AT_ONCE: usize = 16;

/// How often in a row a claim, an activation or another import may come between.
const MOST_ATTEMPTS: u32 = 10;

/// Grants updated in one transaction, each with its mirror: at most 96 of 100 writes.
const GRANTS_AT_ONCE: usize = 48;

/// Another open account has the SIRET.
const SIRET_TAKEN: Reason = Reason::in_field("siret-of-another-account", "siret");

/// Posts member records; gives their verdicts in order.
///
/// Records of one account or one SIRET go one after the other, so that it does not depend on chance
/// which of two accounts gets a SIRET.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn post_members(store: &Store, records: &[MemberRecord]) -> Result<Vec<Verdict>, ImportError> {
    let mut verdicts = Vec::with_capacity(records.len());
    while verdicts.len() < records.len() {
        let rest = &records[verdicts.len()..];
        let together = (1..rest.len().min(AT_ONCE))
            .find(|end| {
                let next = &rest[*end];
                rest[..*end].iter().any(|r| r.member_number == next.member_number || r.siret == next.siret)
            })
            .unwrap_or(rest.len().min(AT_ONCE));
        let posted: Vec<BoxFuture<'_, _>> =
            rest[..together].iter().map(|record| post_member(store, record).boxed()).collect();
        verdicts.append(&mut futures::future::try_join_all(posted).await?);
    }
    // An account that moves away or closes may stand behind the one that takes its SIRET.
    for (record, verdict) in records.iter().zip(&mut verdicts) {
        if *verdict == Verdict::Quarantined(SIRET_TAKEN) {
            *verdict = post_member(store, record).await?;
        }
    }
    Ok(verdicts)
}

async fn post_member(store: &Store, record: &MemberRecord) -> Result<Verdict, ImportError> {
    for _ in 0..MOST_ATTEMPTS {
        let mut batch = Batch::new();
        let account = batch.want::<Account>(Account::key_of(&record.member_number));
        let seat = batch.want::<Establishment>(Establishment::key_of(&record.siret));
        let mut fetched = store.fetch(batch).await?;
        let (account, seat) = (fetched.take(&account)?, fetched.take(&seat)?);
        if let Some(account) = &account {
            match record.version.cmp(&account.version) {
                std::cmp::Ordering::Less => return Ok(Verdict::Stale),
                std::cmp::Ordering::Equal if record.content_hash() == account.content_hash => {
                    return Ok(Verdict::Unchanged);
                }
                std::cmp::Ordering::Equal => return Ok(Verdict::Quarantined(Reason::of("conflicting-version"))),
                std::cmp::Ordering::Greater => {}
            }
        }
        let open = record.closed_on.is_none();
        let taken = seat.as_ref().is_some_and(|seat| seat.open && seat.member_number != record.member_number);
        if taken && open {
            return Ok(Verdict::Quarantined(SIRET_TAKEN));
        }
        let mut transaction = Transaction::new();
        let manager = match &account {
            None => {
                transaction.create(&new_account(record))?;
                None
            }
            Some(before) => {
                transaction.update(before.key(), change(record)?, Condition::is("version", &before.version)?);
                leave_seat(store, &mut transaction, before, &record.siret).await?
            }
        };
        if !taken {
            take_seat(&mut transaction, record, seat.as_ref(), manager)?;
        }
        if let Some(before) = account.as_ref().filter(|a| a.siret != record.siret || a.name != record.name)
            && !update_grants(store, &before.member_number, record).await?
        {
            continue;
        }
        match store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed if account.is_some() => return Ok(Verdict::Corrected),
            Outcome::Committed => return Ok(Verdict::Posted),
            Outcome::Refused(_) => {}
        }
    }
    Err(ImportError::Store(StoreError::Contention))
}

fn new_account(record: &MemberRecord) -> Account {
    Account {
        member_number: record.member_number.clone(),
        siret: record.siret.clone(),
        name: record.name.clone(),
        headcount_band: record.headcount_band.clone(),
        contact_email: record.contact_email.as_ref().map(|email| email.as_str().to_owned()),
        opened_on: record.opened_on,
        closed_on: record.closed_on,
        version: record.version,
        content_hash: record.content_hash(),
        active: false,
    }
}

/// What a higher version changes; `active` is the manager's and stays.
fn change(record: &MemberRecord) -> Result<Change, StoreError> {
    let mut change = Change::new()
        .set("siret", &record.siret)?
        .set("name", &record.name)?
        .set("opened_on", &record.opened_on)?
        .set("version", &record.version)?
        .set("content_hash", &record.content_hash())?;
    change = match &record.headcount_band {
        Some(band) => change.set("headcount_band", band)?,
        None => change.remove("headcount_band"),
    };
    change = match &record.contact_email {
        Some(email) => change.set("contact_email", &email.as_str())?,
        None => change.remove("contact_email"),
    };
    Ok(match &record.closed_on {
        Some(day) => change.set("closed_on", day)?,
        None => change.remove("closed_on"),
    })
}

/// Where the account moves to another SIRET: gives up the old one, and takes its manager along.
async fn leave_seat(
    store: &Store,
    transaction: &mut Transaction,
    before: &Account,
    siret: &Siret,
) -> Result<Option<Manager>, ImportError> {
    if before.siret == *siret {
        return Ok(None);
    }
    let old: Option<Establishment> = store.get(&Establishment::key_of(&before.siret)).await?;
    let Some(old) = old.filter(|old| old.member_number == before.member_number) else { return Ok(None) };
    transaction.delete(old.key(), Some(as_seen(&old)?));
    Ok(old.manager)
}

/// Puts the account on the record's SIRET, which no other open account has.
fn take_seat(
    transaction: &mut Transaction,
    record: &MemberRecord,
    seat: Option<&Establishment>,
    manager: Option<Manager>,
) -> Result<(), StoreError> {
    let open = record.closed_on.is_none();
    let ours = |manager| Establishment {
        siret: record.siret.clone(),
        name: record.name.clone(),
        member_number: record.member_number.clone(),
        open,
        manager,
    };
    match seat {
        None => {
            transaction.create(&ours(manager))?;
        }
        Some(seat) if seat.member_number == record.member_number => {
            let manager = manager.or_else(|| seat.manager.clone());
            transaction.put(&ours(manager), Some(as_seen(seat)?))?;
        }
        // A closed account makes room for an open one, not for another closed one.
        Some(seat) if open => {
            transaction.put(&ours(manager), Some(as_seen(seat)?))?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// That a seat has the account, the manager and the state that it had when it was read.
fn as_seen(seat: &Establishment) -> Result<Condition, StoreError> {
    let manager = match &seat.manager {
        Some(manager) => Condition::is("manager", manager)?,
        None => Condition::Without("manager"),
    };
    let number = Condition::is("member_number", &seat.member_number)?;
    Ok(Condition::All(vec![number, Condition::is("open", &seat.open)?, manager]))
}

/// Brings the copies in the grants up to date, before the account itself: cut off in between, the
/// account still has its old version, and the next run begins again. `false` where a grant went away
/// meanwhile.
async fn update_grants(store: &Store, number: &MemberNumber, record: &MemberRecord) -> Result<bool, ImportError> {
    let mirrors: Vec<GrantMirror> = store.query_all(&Grant::all_on(number)).await?;
    for some in mirrors.chunks(GRANTS_AT_ONCE) {
        let mut transaction = Transaction::new();
        for GrantMirror(grant) in some {
            let mut update = |key: Key| -> Result<(), StoreError> {
                let change = Change::new().set("siret", &record.siret)?.set("name", &record.name)?;
                transaction.update(key, change, Condition::Exists);
                Ok(())
            };
            update(Grant::key_of(grant.user_id, number))?;
            update(Grant::mirror_key_of(grant.user_id, number))?;
        }
        if let Outcome::Refused(_) = store.commit(&transaction, &mut rng()).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

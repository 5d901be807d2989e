//! Posts member accounts: the account, and the establishment that people find it by.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::civil::Date;
use portal::domain::Siret;
use portal::store::{
    Account, Batch, Change, Condition, Contested, Establishment, Grant, GrantMirror, Manager, Outcome, Record as _,
    Role, StoreError, Transaction,
};

use crate::ImportError;
use crate::feed::{MemberRecord, Reason};
use crate::posting::Verdict;
use crate::tables::Tables;

/// How many accounts are posted at the same time.
const AT_ONCE: usize = 16;

/// How often in a row a claim, an activation or another import may come between.
const MOST_ATTEMPTS: u32 = 10;

/// Grants updated in one transaction, each with its mirror: 94 of 100 writes, beside the account, the SIRET
/// that it leaves and the one that it takes.
const GRANTS_AT_ONCE: usize = 47;

/// Another open account has the SIRET.
pub(crate) const SIRET_TAKEN: Reason = Reason::in_field("siret-of-another-account", "siret");

/// Posts member records on this day of the fund; gives their verdicts in order.
///
/// Records of one account or one SIRET go one after the other, so that it does not depend on chance
/// which of two accounts gets a SIRET.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn post_members(
    store: &impl Tables,
    records: &[MemberRecord],
    today: Date,
) -> Result<Vec<Verdict>, ImportError> {
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
            rest[..together].iter().map(|record| post_member(store, record, today).boxed()).collect();
        verdicts.append(&mut futures::future::try_join_all(posted).await?);
    }
    Ok(verdicts)
}

async fn post_member(store: &impl Tables, record: &MemberRecord, today: Date) -> Result<Verdict, ImportError> {
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
        let closed_on = closed_on(record, account.as_ref());
        let open = closed_on.is_none_or(|day| today < day);
        let taken = seat.as_ref().is_some_and(|seat| seat.is_open(today) && seat.member_number != record.member_number);
        if taken && open {
            // An attempt before this one may have been overtaken after the first of many grants.
            if let Some(account) = &account
                && !restore_grants(store, account).await?
            {
                continue;
            }
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
        let place = (!taken).then(|| {
            let (siret, name) = (record.siret.clone(), record.name.clone());
            Establishment::new(siret, name, record.member_number.clone(), closed_on, today)
        });
        let has_manager = match place {
            Some(place) => take_seat(&mut transaction, place, open, seat.as_ref(), manager)?,
            None => false,
        };
        if account.is_some() && !update_grants(store, &mut transaction, record, has_manager || !open).await? {
            continue;
        }
        match store.commit(&transaction).await? {
            Outcome::Committed if account.is_some() => return Ok(Verdict::Corrected),
            Outcome::Committed => return Ok(Verdict::Posted),
            Outcome::Refused(_) => {}
        }
    }
    Err(ImportError::Store(StoreError::Contention))
}

/// The day from which on the account is closed: the record's, or the one before where that cannot be read.
fn closed_on(record: &MemberRecord, before: Option<&Account>) -> Option<Date> {
    if record.unreadable.has("closed_on") { before?.closed_on } else { record.closed_on }
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

/// What a higher version changes; `active` is the manager's and stays, and so does what the record leaves unreadable.
fn change(record: &MemberRecord) -> Result<Change, StoreError> {
    let mut change = Change::new()
        .set("siret", &record.siret)?
        .set("name", &record.name)?
        .set("opened_on", &record.opened_on)?
        .set("version", &record.version)?
        .set("content_hash", &record.content_hash())?;
    change = match &record.headcount_band {
        Some(band) => change.set("headcount_band", band)?,
        None if record.unreadable.has("headcount_band") => change,
        None => change.remove("headcount_band"),
    };
    change = match &record.contact_email {
        Some(email) => change.set("contact_email", &email.as_str())?,
        None if record.unreadable.has("contact_email") => change,
        None => change.remove("contact_email"),
    };
    Ok(match &record.closed_on {
        Some(day) => change.set("closed_on", day)?,
        None if record.unreadable.has("closed_on") => change,
        None => change.remove("closed_on"),
    })
}

/// Who sits in a seat, and whether that is contested: a contest goes where its manager goes.
struct Seated {
    manager: Manager,
    contested: Option<Contested>,
}

impl Seated {
    fn of(seat: &Establishment) -> Option<Self> {
        Some(Self { manager: seat.manager.clone()?, contested: seat.contested.clone() })
    }
}

/// Where the account moves to another SIRET: gives up the old one, and takes its manager along.
async fn leave_seat(
    store: &impl Tables,
    transaction: &mut Transaction,
    before: &Account,
    siret: &Siret,
) -> Result<Option<Seated>, ImportError> {
    if before.siret == *siret {
        return Ok(None);
    }
    let old: Option<Establishment> = store.get(&Establishment::key_of(&before.siret)).await?;
    let Some(old) = old.filter(|old| old.member_number == before.member_number) else { return Ok(None) };
    transaction.delete(old.key(), Some(as_seen(&old)?));
    Ok(Seated::of(&old))
}

/// Puts the account on its SIRET, which no other open account has; says whether the seat that it takes comes with the
/// account's manager.
fn take_seat(
    transaction: &mut Transaction,
    mut place: Establishment,
    open: bool,
    seat: Option<&Establishment>,
    moved: Option<Seated>,
) -> Result<bool, StoreError> {
    let seated = moved.or_else(|| {
        let ours = seat.filter(|seat| seat.member_number == place.member_number);
        ours.and_then(Seated::of)
    });
    let has_manager = seated.is_some();
    if let Some(Seated { manager, contested }) = seated {
        (place.manager, place.contested) = (Some(manager), contested);
    }
    match seat {
        None => {
            transaction.create(&place)?;
        }
        // A closed account makes room for an open one, not for another closed one.
        Some(seat) if open || seat.member_number == place.member_number => {
            transaction.put(&place, Some(as_seen(seat)?))?;
        }
        Some(_) => {}
    }
    Ok(has_manager)
}

/// That a seat has the account, the manager, the contest and the state that it had when it was read.
fn as_seen(seat: &Establishment) -> Result<Condition, StoreError> {
    let manager = match &seat.manager {
        Some(manager) => Condition::is("manager", manager)?,
        None => Condition::Without("manager"),
    };
    let contested = match &seat.contested {
        Some(contested) => Condition::is("contested", contested)?,
        None => Condition::Without("contested"),
    };
    let number = Condition::is("member_number", &seat.member_number)?;
    Ok(Condition::All(vec![number, seat.as_open_as_read()?, manager, contested]))
}

/// Brings the copies in the grants up to date, in the account's transaction. Those that do not fit go before:
/// cut off in between, the account still has its old version, and the next run begins again. `false` where a
/// grant went away meanwhile.
///
/// An account that closed may have lost its SIRET, and with it the seat of its manager. When it opens again
/// and the seat is free, the grant of a manager becomes one of a reader: otherwise a claim would make a
/// second manager.
async fn update_grants(
    store: &impl Tables,
    transaction: &mut Transaction,
    record: &MemberRecord,
    has_manager: bool,
) -> Result<bool, ImportError> {
    let mirrors: Vec<GrantMirror> = store.query_all(&Grant::all_on(&record.member_number)).await?;
    let (mut own, mut others): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for GrantMirror(grant) in mirrors {
        let deposed = grant.role == Role::Manager && !has_manager;
        if deposed {
            own.push((grant, Some(Role::Reader)));
        } else if grant.siret != record.siret || grant.name != record.name {
            others.push((grant, None));
        }
    }
    let room = GRANTS_AT_ONCE.saturating_sub(own.len()).min(others.len());
    own.extend(others.drain(..room));
    for (grant, role) in &own {
        update_grant(transaction, grant, &record.siret, &record.name, *role)?;
    }
    for some in others.chunks(GRANTS_AT_ONCE) {
        let mut transaction = Transaction::new();
        for (grant, _) in some {
            update_grant(&mut transaction, grant, &record.siret, &record.name, None)?;
        }
        if let Outcome::Refused(_) = store.commit(&transaction).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the copies in the grants what the account says.
async fn restore_grants(store: &impl Tables, account: &Account) -> Result<bool, ImportError> {
    let mirrors: Vec<GrantMirror> = store.query_all(&Grant::all_on(&account.member_number)).await?;
    let wrong = |GrantMirror(grant): &GrantMirror| grant.siret != account.siret || grant.name != account.name;
    let wrong: Vec<GrantMirror> = mirrors.into_iter().filter(wrong).collect();
    for some in wrong.chunks(GRANTS_AT_ONCE) {
        let mut transaction = Transaction::new();
        for GrantMirror(grant) in some {
            update_grant(&mut transaction, grant, &account.siret, &account.name, None)?;
        }
        if let Outcome::Refused(_) = store.commit(&transaction).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn update_grant(
    transaction: &mut Transaction,
    grant: &Grant,
    siret: &Siret,
    name: &str,
    role: Option<Role>,
) -> Result<(), StoreError> {
    let (user_id, number) = (grant.user_id, &grant.member_number);
    for key in [Grant::key_of(user_id, number), Grant::mirror_key_of(user_id, number)] {
        let mut change = Change::new().set("siret", siret)?.set("name", &name)?;
        if let Some(role) = role {
            change = change.set("role", &role)?;
        }
        transaction.update(key, change, Condition::Exists);
    }
    Ok(())
}

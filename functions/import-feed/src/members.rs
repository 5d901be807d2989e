//! Posts member accounts: the account, and the establishment that people find it by.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use portal::clock::Clock;
use portal::domain::{Identifier, MemberNumber, Siret, fund_day};
use portal::invocation::trouble;
use portal::store::{
    Account, Batch, Change, Claims, Condition, Contested, Establishment, Grant, GrantMirror, Manager, MemberVersion,
    Outcome, Parked, Record as _, Release, Role, SaidOfMember, StoreError, Transaction,
};

use crate::ImportError;
use crate::feed::{MemberRecord, Reason};
use crate::post::REFUSED_BY_STORE;
use crate::posting::Verdict;
use crate::tables::Tables;

/// How many accounts are posted at the same time.
const AT_ONCE: usize = 16;

/// How often in a row a claim, an activation or another import may come between.
const MOST_ATTEMPTS: u32 = 10;

/// Grants updated in one transaction, each with its mirror: 94 of 100 writes, beside the account, its version, the SIRET
/// that it leaves and the one that it takes.
const GRANTS_AT_ONCE: usize = 47;

/// The SIRETs that an account may leave. All of them stand in its item and in each grant of it, for whoever is of one of
/// them and leaves it.
const MOST_SIRETS_BEFORE: usize = 1_000;

/// The account has left more SIRETs than are kept.
const SIRET_CHANGED_TOO_OFTEN: Reason = Reason::in_field("siret-changed-too-often", "siret");

/// Another open account has the SIRET.
pub(crate) const SIRET_TAKEN: Reason = Reason::in_field("siret-of-another-account", "siret");

/// Posts member records, each booked at the instant of its transaction; gives their verdicts in order.
///
/// Records of one account or one SIRET go one after the other, so that it does not depend on chance
/// which of two accounts gets a SIRET.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn post_members(
    store: &impl Tables,
    records: &[MemberRecord],
    batch: &SentBy<'_>,
    clock: &Clock,
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
            rest[..together].iter().map(|record| post_or_put_aside(store, record, batch, clock).boxed()).collect();
        verdicts.append(&mut futures::future::try_join_all(posted).await?);
    }
    Ok(verdicts)
}

/// Posts a member, or puts it aside where the store refuses what it makes of an item: the others are posted.
async fn post_or_put_aside(
    store: &impl Tables,
    record: &MemberRecord,
    batch: &SentBy<'_>,
    clock: &Clock,
) -> Result<Verdict, ImportError> {
    match post_member(store, record, batch, clock).await {
        Err(ImportError::Store(error)) if error.is_of_content() => {
            trouble(format!("a member is put aside, {}: {error}", REFUSED_BY_STORE.code));
            Ok(Verdict::Quarantined(REFUSED_BY_STORE))
        }
        posted => posted,
    }
}

async fn post_member(
    store: &impl Tables,
    record: &MemberRecord,
    batch: &SentBy<'_>,
    clock: &Clock,
) -> Result<Verdict, ImportError> {
    for _ in 0..MOST_ATTEMPTS {
        let now = clock.now();
        let today = fund_day(now);
        let mut wanted = Batch::new();
        let account = wanted.want::<Account>(Account::key_of(&record.member_number));
        let seat = wanted.want::<Establishment>(Establishment::key_of(&record.siret));
        let mut fetched = store.fetch(wanted).await?;
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
        if account.as_ref().is_some_and(|account| before_and(account, &record.siret).len() > MOST_SIRETS_BEFORE) {
            return Ok(Verdict::Quarantined(SIRET_CHANGED_TOO_OFTEN));
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
        let booked_at = account.as_ref().map_or(now, |account| now.max(account.booked_at));
        transaction.create(&version(record, account.as_ref(), batch, booked_at))?;
        let moved = match &account {
            None => {
                transaction.create(&new_account(record, now))?;
                None
            }
            Some(before) => {
                let moved = leave_seat(store, &mut transaction, before, &record.siret).await?;
                let ours = seat.as_ref().is_none_or(|seat| seat.member_number == record.member_number);
                let change = change(record, &before_and(before, &record.siret))?;
                let change = change.set("booked_at", &booked_at.as_millisecond())?;
                let change = match &moved {
                    _ if !taken && (open || ours) => change.remove("parked"),
                    // Closed, it goes to a SIRET that another account has.
                    Some(kept) => change.set("parked", &kept.without_manager())?,
                    None => change,
                };
                transaction.update(before.key(), change, as_read(before)?);
                moved
            }
        };
        let parked = account.as_ref().and_then(|account| account.parked.clone());
        let kept = moved.or_else(|| parked.map(Kept::of_parked));
        let place = (!taken).then(|| {
            let (siret, name) = (record.siret.clone(), record.name.clone());
            Establishment::new(siret, name, record.member_number.clone(), closed_on, today)
        });
        let has_manager = match place {
            Some(place) => take_seat(&mut transaction, place, open, seat.as_ref(), kept)?,
            None => false,
        };
        if let Some(account) = &account {
            let sirets_before = &before_and(account, &record.siret);
            let copies = Copies { siret: &record.siret, name: &record.name, sirets_before };
            if !update_grants(store, &mut transaction, &record.member_number, &copies, has_manager || !open).await? {
                continue;
            }
        }
        match store.commit(&transaction).await? {
            Outcome::Committed if account.is_some() => return Ok(Verdict::Corrected),
            Outcome::Committed => return Ok(Verdict::Posted),
            Outcome::Refused(_) => {}
        }
    }
    Err(ImportError::Store(StoreError::Contention))
}

/// The batch that members come with.
pub(crate) struct SentBy<'a> {
    pub(crate) source: &'a Identifier,
    pub(crate) batch_id: &'a Identifier,
}

/// The row of this version of a member; what the record leaves unreadable stays as it was.
fn version(record: &MemberRecord, before: Option<&Account>, batch: &SentBy<'_>, booked_at: Timestamp) -> MemberVersion {
    let mut said = SaidOfMember::from(&new_account(record, booked_at));
    let replaced = before.map(SaidOfMember::from);
    let mut contact = record.contact_email.as_ref().map(|email| email.as_str());
    let contact_before = before.and_then(|before| before.contact_email.as_deref());
    if let Some(replaced) = &replaced {
        said.closed_on = closed_on(record, before);
        if record.headcount_band.is_none() && record.unreadable.has("headcount_band") {
            said.headcount_band.clone_from(&replaced.headcount_band);
        }
        if contact.is_none() && record.unreadable.has("contact_email") {
            contact = contact_before;
        }
    }
    MemberVersion {
        member_number: record.member_number.clone(),
        version: record.version,
        source: batch.source.clone(),
        batch_id: batch.batch_id.clone(),
        booked_at,
        contact_changed: replaced.is_some() && contact != contact_before,
        said,
        replaced,
    }
}

/// The day from which on the account is closed: the record's, or the one before where that cannot be read.
fn closed_on(record: &MemberRecord, before: Option<&Account>) -> Option<Date> {
    if record.unreadable.has("closed_on") { before?.closed_on } else { record.closed_on }
}

fn new_account(record: &MemberRecord, now: Timestamp) -> Account {
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
        booked_at: now,
        active: false,
        sirets_before: Vec::new(),
        parked: None,
    }
}

/// The SIRETs that an account had before it gets this one.
fn before_and(account: &Account, siret: &Siret) -> Vec<Siret> {
    let mut before = account.sirets_before.clone();
    if account.siret != *siret && !before.contains(&account.siret) {
        before.push(account.siret.clone());
    }
    before
}

/// That an account has the version that was read, and keeps what it kept then: another account may take its SIRET meanwhile.
fn as_read(account: &Account) -> Result<Condition, StoreError> {
    let parked = match &account.parked {
        Some(parked) => Condition::is("parked", parked)?,
        None => Condition::Without("parked"),
    };
    Ok(Condition::All(vec![Condition::is("version", &account.version)?, parked]))
}

/// What a higher version changes; `active` is the manager's and stays, and so does what the record leaves unreadable.
fn change(record: &MemberRecord, sirets_before: &[Siret]) -> Result<Change, StoreError> {
    let mut change = Change::new()
        .set("siret", &record.siret)?
        .set("name", &record.name)?
        .set("opened_on", &record.opened_on)?
        .set("version", &record.version)?
        .set("content_hash", &record.content_hash())?;
    if !sirets_before.is_empty() {
        change = change.set("sirets_before", &sirets_before)?;
    }
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

/// What goes where an account goes: its manager, what is known of its claims, and whether that is contested.
#[derive(Default)]
struct Kept {
    manager: Option<Manager>,
    contested: Option<Contested>,
    release: Option<Release>,
    claims: Claims,
}

impl Kept {
    fn of(seat: &Establishment) -> Self {
        let Establishment { manager, contested, release, claims, .. } = seat.clone();
        Self { manager, contested, release, claims }
    }

    fn without_manager(&self) -> Parked {
        let Self { contested, release, claims, .. } = self;
        Parked { contested: contested.clone(), release: release.clone(), claims: claims.clone() }
    }

    fn of_parked(Parked { contested, release, claims }: Parked) -> Self {
        Self { manager: None, contested, release, claims }
    }
}

/// Where the account moves to another SIRET: gives up the old one, and takes along what it keeps.
async fn leave_seat(
    store: &impl Tables,
    transaction: &mut Transaction,
    before: &Account,
    siret: &Siret,
) -> Result<Option<Kept>, ImportError> {
    if before.siret == *siret {
        return Ok(None);
    }
    let old: Option<Establishment> = store.get(&Establishment::key_of(&before.siret)).await?;
    let Some(old) = old.filter(|old| old.member_number == before.member_number) else { return Ok(None) };
    transaction.delete(old.key(), Some(old.as_seen()?));
    Ok(Some(Kept::of(&old)))
}

/// Puts the account on its SIRET, which no other open account has; says whether the seat that it takes comes with the
/// account's manager.
fn take_seat(
    transaction: &mut Transaction,
    mut place: Establishment,
    open: bool,
    seat: Option<&Establishment>,
    kept: Option<Kept>,
) -> Result<bool, StoreError> {
    let kept = kept.or_else(|| seat.filter(|seat| seat.member_number == place.member_number).map(Kept::of));
    let Kept { manager, contested, release, claims } = kept.unwrap_or_default();
    let has_manager = manager.is_some();
    (place.manager, place.contested, place.release, place.claims) = (manager, contested, release, claims);
    match seat {
        None => {
            transaction.create(&place)?;
        }
        Some(seat) if seat.member_number == place.member_number => {
            transaction.put(&place, Some(seat.as_seen()?))?;
        }
        // A closed account makes room for an open one, not for another closed one.
        Some(seat) if open => {
            transaction.put(&place, Some(seat.as_seen()?))?;
            let parked = Change::new().set("parked", &Kept::of(seat).without_manager())?;
            transaction.update(Account::key_of(&seat.member_number), parked, Condition::Exists);
        }
        Some(_) => {}
    }
    Ok(has_manager)
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
    number: &MemberNumber,
    copies: &Copies<'_>,
    has_manager: bool,
) -> Result<bool, ImportError> {
    let mirrors: Vec<GrantMirror> = store.query_all(&Grant::all_on(number)).await?;
    let (mut own, mut others): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for GrantMirror(grant) in mirrors {
        let deposed = grant.role == Role::Manager && !has_manager;
        if deposed {
            own.push((grant, Some(Role::Reader)));
        } else if grant.siret != *copies.siret || grant.name != copies.name {
            others.push((grant, None));
        }
    }
    let room = GRANTS_AT_ONCE.saturating_sub(own.len()).min(others.len());
    own.extend(others.drain(..room));
    for (grant, role) in &own {
        update_grant(transaction, grant, copies, *role)?;
    }
    for some in others.chunks(GRANTS_AT_ONCE) {
        let mut transaction = Transaction::new();
        for (grant, _) in some {
            update_grant(&mut transaction, grant, copies, None)?;
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
    let copies = &Copies { siret: &account.siret, name: &account.name, sirets_before: &account.sirets_before };
    let wrong = |GrantMirror(grant): &GrantMirror| grant.siret != account.siret || grant.name != account.name;
    let wrong: Vec<GrantMirror> = mirrors.into_iter().filter(wrong).collect();
    for some in wrong.chunks(GRANTS_AT_ONCE) {
        let mut transaction = Transaction::new();
        for GrantMirror(grant) in some {
            update_grant(&mut transaction, grant, copies, None)?;
        }
        if let Outcome::Refused(_) = store.commit(&transaction).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a grant repeats of its account.
struct Copies<'a> {
    siret: &'a Siret,
    name: &'a str,
    sirets_before: &'a [Siret],
}

fn update_grant(
    transaction: &mut Transaction,
    grant: &Grant,
    copies: &Copies<'_>,
    role: Option<Role>,
) -> Result<(), StoreError> {
    let (user_id, number) = (grant.user_id, &grant.member_number);
    for key in [Grant::key_of(user_id, number), Grant::mirror_key_of(user_id, number)] {
        let mut change = Change::new().set("siret", copies.siret)?.set("name", &copies.name)?;
        change = match copies.sirets_before {
            [] => change.remove("sirets_before"),
            before => change.set("sirets_before", &before)?,
        };
        if let Some(role) = role {
            change = change.set("role", &role)?;
        }
        transaction.update(key, change, Condition::Exists);
    }
    Ok(())
}

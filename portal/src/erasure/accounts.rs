//! The accounts that somebody who erases themselves has access to: each is left in a transaction of its own,
//! with its evidence.

use jiff::Timestamp;
use rand::CryptoRng;

use super::{Erasure, Scene, Seats};
use crate::domain::MemberNumber;
use crate::http::Problem;
use crate::store::{
    AccessRequest, Account, AuditEvent, Change, ClaimEnd, Condition, Establishment, EventKind, Grant, GrantMirror,
    Invitation, Outcome, Proof, Record as _, Rights, Role, Store, StoreError, Transaction, User, told_after,
};

impl Erasure {
    /// Nobody may be left on an account that has lost its manager.
    pub(super) async fn hold_back(
        &self,
        user: &User,
        rights: &Rights,
        seats: &Seats,
        now: Timestamp,
    ) -> Result<(), Problem> {
        for grant in &rights.grants {
            let manages = seat_of(grant, user, seats).is_some();
            if manages && has_others(&self.store, &grant.member_number, user, now).await? {
                return Err(Problem::ManagerMustHandOver);
            }
        }
        Ok(())
    }

    /// Leaves every account; `false` where something of it changed in between and has to be looked at again.
    pub(super) async fn leave_accounts(
        &self,
        user: &User,
        rights: &Rights,
        seats: &Seats,
        call: &Scene<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Problem> {
        for grant in &rights.grants {
            let number = &grant.member_number;
            let mut transaction = Transaction::new();
            transaction.check(user.key(), Condition::is("epoch", &user.epoch)?);
            transaction.delete(grant.key(), Some(grant.unmoved()?));
            transaction.delete(Grant::mirror_key_of(user.user_id, number), None);
            transaction.delete(Proof::key_of(user.user_id, number), None);
            if let Some(seat) = seat_of(grant, user, seats) {
                vacate(seat, user, ClaimEnd::Erased, call.now(), &mut transaction)?;
            }
            tell_revoked(&revoked(grant, user, "erased", call, rng)?, grant, &mut transaction)?;
            if let Outcome::Refused(_) = self.store.commit(&transaction, rng).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes back every request for access; `false` where one was answered in between.
    pub(super) async fn withdraw_requests(
        &self,
        user: &User,
        rights: &Rights,
        call: &Scene<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Problem> {
        for request in &rights.requests {
            let mut transaction = Transaction::new();
            withdraw(request, user, "erased", call, rng, &mut transaction)?;
            if let Outcome::Refused(_) = self.store.commit(&transaction, rng).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The evidence that a grant ended: later than whatever gave it, also in its millisecond.
///
/// # Errors
/// Where sealing fails, which is a defect.
pub fn revoked(
    grant: &Grant,
    user: &User,
    why: &str,
    call: &Scene<'_>,
    rng: &mut impl CryptoRng,
) -> Result<AuditEvent, StoreError> {
    let event = call.event(user, EventKind::AccessRevoked, rng)?;
    let at = told_after(grant.since, event.at);
    Ok(AuditEvent { at, ..event }.about(&grant.member_number).with_detail(why))
}

/// Writes the evidence that a grant ended; a manager's is found by the account too.
///
/// # Errors
/// Where it cannot be an item.
pub fn tell_revoked(event: &AuditEvent, grant: &Grant, transaction: &mut Transaction) -> Result<(), StoreError> {
    match grant.role {
        Role::Manager => event.create_with_account(transaction),
        Role::Reader => transaction.create(event).map(drop),
    }
}

/// Takes a request for access back, with its evidence.
///
/// # Errors
/// Where sealing fails, or a condition cannot be built, which is a defect.
pub fn withdraw(
    request: &AccessRequest,
    user: &User,
    why: &str,
    call: &Scene<'_>,
    rng: &mut impl CryptoRng,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let event = call.event(user, EventKind::AccessRefused, rng)?;
    let event = AuditEvent { at: request.answered_at(event.at), ..event };
    request.delete(transaction)?;
    transaction.create(&event.about(&request.member_number).with_detail(why)).map(drop)
}

/// The seat that a grant says its user has, where they sit there and the account is still the one granted.
fn seat_of<'a>(grant: &Grant, user: &'a User, seats: &'a Seats) -> Option<&'a Establishment> {
    let mut own = seats.own(user);
    own.find(|seat| grant.role == Role::Manager && seat.member_number == grant.member_number)
}

/// Leaves the seat to whoever claims it next, who gives an answer of their own (leaflet S57). A contest stays, and keeps
/// the seat empty until the staff decide.
pub(super) fn vacate(
    seat: &Establishment,
    user: &User,
    end: ClaimEnd,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let own_seat = vec![Condition::is("manager.user_id", &user.user_id)?, seat.claims.unchanged()?];
    transaction.update(seat.key(), seat.vacated(end, now)?, Condition::All(own_seat));
    let unused = Change::new().set("active", &false)?;
    transaction.update(Account::key_of(&seat.member_number), unused, Condition::Exists);
    Ok(())
}

/// Whether anybody else may read an account at `now`, or is invited to.
pub(super) async fn has_others(
    store: &Store,
    number: &MemberNumber,
    user: &User,
    now: Timestamp,
) -> Result<bool, StoreError> {
    // In this order: an invitation that is opened in between is found as one or as the other.
    let invitations: Vec<Invitation> = store.query_all(&Invitation::all_to(number)).await?;
    let grants: Vec<GrantMirror> = store.query_all(&Grant::all_on(number)).await?;
    Ok(invitations.iter().any(|invitation| invitation.is_open(now) && invitation.email != user.email)
        || grants.iter().any(|GrantMirror(grant)| grant.user_id != user.user_id))
}

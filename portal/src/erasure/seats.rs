//! The manager's seats that a change of profile touches.
//!
//! A grant says that its user manages an account; the establishment's item says who sits there now. Where
//! an account was closed and another took its SIRET, the two differ, and the seat has the last word.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::accounts::{has_others, vacate};
use crate::domain::Siret;
use crate::http::Problem;
use crate::store::{
    AccessRequest, Batch, Change, ClaimEnd, Condition, Establishment, Grant, Proof, Record, Rights, Role, Store,
    StoreError, Transaction, User,
};

/// The establishments that a user belongs to or manages.
pub struct Seats(BTreeMap<Siret, Establishment>);

impl Seats {
    /// Reads them, in one call.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &Store, user: &User, rights: &Rights) -> Result<Self, Problem> {
        let managed = rights.grants.iter().filter(|grant| grant.role == Role::Manager).map(|grant| &grant.siret);
        let mut batch = Batch::new();
        let wanted: BTreeMap<_, _> = managed
            .chain([&user.siret])
            .map(|siret| (siret, batch.want::<Establishment>(Establishment::key_of(siret))))
            .collect();
        let mut fetched = store.fetch(batch).await?;
        let mut seats = BTreeMap::new();
        for wanted in wanted.values() {
            if let Some(establishment) = fetched.take(wanted)? {
                seats.insert(establishment.siret.clone(), establishment);
            }
        }
        Ok(Self(seats))
    }

    /// Those in which the user sits.
    pub fn own<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Establishment> {
        let sits = |establishment: &&Establishment| {
            establishment.manager.as_ref().is_some_and(|manager| manager.user_id == user.user_id)
        };
        self.0.values().filter(sits)
    }

    /// A claim or a request for access may commit between the look at the rights and the change: its grant would stay behind, its
    /// seat would keep the old name. Then the change waits for a second look.
    ///
    /// # Errors
    /// Where a condition cannot be built.
    pub fn hold_claims_off(
        &self,
        user: &User,
        rights: &Rights,
        moves: bool,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let Some(Establishment { member_number: number, .. }) = self.0.get(&user.siret) else { return Ok(()) };
        match rights.grants.iter().find(|grant| &grant.member_number == number) {
            None => {
                transaction.check(Grant::key_of(user.user_id, number), Condition::Absent);
            }
            Some(grant) if !moves => {
                transaction.check(grant.key(), Condition::is("role", &grant.role)?);
            }
            // Leaving deletes it, under the same condition.
            Some(_) => {}
        }
        if moves && !rights.proofs.iter().any(|proof| &proof.member_number == number) {
            transaction.delete(Proof::key_of(user.user_id, number), None);
        }
        if moves && !rights.requests.iter().any(|request| &request.member_number == number) {
            AccessRequest::delete_any(user.user_id, number, transaction);
        }
        Ok(())
    }

    /// Leaves the old establishment for that with the SIRET `entered`: its proofs and grants end with it, whatever SIRET
    /// the fund's file moved the account to meanwhile. A manager who has colleagues hands over first; alone, they leave
    /// the account unclaimed. Gives the grants that end, whose evidence is the caller's to write.
    ///
    /// # Errors
    /// `manager-must-hand-over`, and where the store fails.
    pub async fn leave(
        &self,
        store: &Store,
        user: &User,
        rights: &Rights,
        (entered, now): (&Siret, Timestamp),
        transaction: &mut Transaction,
    ) -> Result<Vec<Grant>, Problem> {
        let mut ended = Vec::new();
        for proof in rights.proofs.iter().filter(|proof| proof.siret == user.siret) {
            transaction.delete(Proof::key_of(user.user_id, &proof.member_number), None);
        }
        for grant in rights.grants.iter().filter(|grant| grant.ends_with(&user.siret, entered)) {
            // The fund's file may move the account, and its seat, at this moment.
            transaction.delete(grant.key(), Some(grant.unmoved()?));
            transaction.delete(Grant::mirror_key_of(user.user_id, &grant.member_number), None);
            ended.push(grant.clone());
        }
        let is_left = |seat: &&Establishment| {
            seat.siret == user.siret || ended.iter().any(|grant| grant.member_number == seat.member_number)
        };
        for seat in self.own(user).filter(is_left) {
            if has_others(store, &seat.member_number, user, now).await? {
                return Err(Problem::ManagerMustHandOver);
            }
            vacate(seat, user, ClaimEnd::Left, now, transaction)?;
        }
        Ok(ended)
    }

    /// Keeps the name that colleagues see in step with the profile, but in the seats that are being left, of these
    /// accounts.
    ///
    /// # Errors
    /// Where a condition cannot be built.
    pub fn rename(
        &self,
        left: &[Grant],
        before: &User,
        after: &User,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let is_left = |seat: &Establishment| {
            before.siret != after.siret && seat.siret == before.siret
                || left.iter().any(|grant| grant.member_number == seat.member_number)
        };
        for seat in self.own(before).filter(|seat| !is_left(seat)) {
            let name = name_change(before, after, ["manager.civility", "manager.last_name"])?;
            let own_seat = Condition::is("manager.user_id", &after.user_id)?;
            transaction.update(seat.key(), name, own_seat);
        }
        Ok(())
    }
}

/// What changes of civility and last name, as attributes of these names.
///
/// # Errors
/// Where the change cannot be built.
pub fn name_change(
    before: &User,
    after: &User,
    [civility, last_name]: [&'static str; 2],
) -> Result<Change, StoreError> {
    let mut change = Change::new();
    if after.civility != before.civility {
        change = change.set(civility, &after.civility)?;
    }
    if after.last_name != before.last_name {
        change = change.set(last_name, &after.last_name)?;
    }
    Ok(change)
}

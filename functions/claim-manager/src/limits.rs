//! Who may claim an account whose seat is free: not who was released from it, not one after the other, and nobody while
//! it is contested, but with the pass of the contact on the fund's file.

use jiff::Timestamp;
use portal::domain::{Id, MemberNumber};
use portal::http::Problem;
use portal::store::{
    Batch, Change, ClaimBar, Condition, Contest, ContestOutcome, Record as _, StoreError, Transaction, User, Wanted,
};

use crate::Function;
use crate::seat::RightClaim;

/// What a claim ends that the contact on the fund's file let through: a contest whose manager had left, or the staff's
/// intention to release them. Empty for any other claim.
#[derive(Default)]
pub(crate) struct EndedContest {
    contest: Option<Contest>,
    /// Whose role it was: they do not claim the account again.
    barred: Vec<Id>,
}

impl EndedContest {
    pub(crate) fn write(
        &self,
        number: &MemberNumber,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        if let Some(contest) = &self.contest {
            let ended = Change::new().set("outcome", &ContestOutcome::Replaced)?;
            transaction.update(contest.key(), ended, Condition::Exists);
        }
        for user_id in &self.barred {
            transaction.check(User::key_of(*user_id), Condition::Exists);
            let bar = ClaimBar { user_id: *user_id, member_number: number.clone(), since: now };
            transaction.put(&bar, None)?;
        }
        Ok(())
    }
}

impl Function {
    /// Returns what a claim ends, or why it is refused. With a pass it is let through whatever others did.
    pub(crate) async fn may_claim(
        &self,
        claim: &RightClaim,
        has_pass: bool,
        now: Timestamp,
    ) -> Result<Result<EndedContest, Problem>, StoreError> {
        let (user, seat) = (&claim.user, &claim.establishment);
        if claim.barred {
            return Ok(Err(Problem::ClaimBarred));
        }
        let frozen = seat.is_frozen(now);
        if frozen && !has_pass {
            return Ok(Err(Problem::ClaimContested));
        }
        let ended = if frozen { self.ended_contest(claim).await? } else { EndedContest::default() };
        if ended.barred.contains(&user.user_id) {
            return Ok(Err(Problem::ClaimContested));
        }
        let of_account = seat.claims.closed_for(now).filter(|_| !has_pass);
        let left = user.claims_closed_for(now).max(of_account);
        Ok(left.map_or(Ok(ended), |left| Err(Problem::closed_for(left))))
    }

    async fn ended_contest(&self, claim: &RightClaim) -> Result<EndedContest, StoreError> {
        let seat = &claim.establishment;
        let contest: Option<Contest> = match &seat.contested {
            Some(contested) => self.store.get(&Contest::key_of(contested)).await?,
            None => None,
        };
        let mut concerned: Vec<Id> = contest.iter().map(|contest| contest.manager).collect();
        let claimed = contest.as_ref().and_then(|contest| seat.claims.of(contest.claim.since));
        concerned.extend(claimed.map(|claimed| claimed.user_id));
        concerned.extend(seat.release.as_ref().map(|release| release.user_id));
        concerned.sort_unstable();
        concerned.dedup();
        let mut batch = Batch::new();
        let wanted: Vec<Wanted<User>> = concerned.iter().map(|id| batch.want(User::key_of(*id))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut barred = Vec::new();
        for wanted in &wanted {
            // Who was erased is nobody any more.
            barred.extend(fetched.take(wanted)?.map(|user| user.user_id));
        }
        Ok(EndedContest { contest, barred })
    }
}

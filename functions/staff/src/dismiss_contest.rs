//! `dismiss-contest`: the claim was right. Role and access can move again, the links that contest that claim do nothing
//! any more, and both sides are told. What somebody doubts who merely has the SIRET is dismissed in the same way.

use portal::domain::Id;
use portal::environment::rng;
use portal::store::{
    Change, Condition, Contest, ContestOutcome, Outbox, Outcome, Record as _, StaffAct, Transaction, Wish,
};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble};
use crate::place::{Named, changed_meanwhile};

impl Function {
    pub(crate) async fn dismiss_contest(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        fields.finish()?;
        let (now, rng) = (self.environment.clock.now(), &mut rng());
        let place = self.place(&named).await?;
        let doubted = place.seat.claims.iter().find(|claim| claim.doubts > 0 && !claim.dismissed);
        let is_wanted = place.seat.release.as_ref().is_some_and(|release| release.is_open(now));
        if place.seat.contested.is_none() && doubted.is_none() && !is_wanted {
            let message = "Nobody contests the manager of this account: there is nothing to dismiss.";
            return Err(Refused::new("not-contested", "establishment", message).into());
        }
        let contest: Option<Contest> = match &place.seat.contested {
            Some(contested) => self.store.get(&Contest::key_of(contested)).await?,
            None => None,
        };

        let mut transaction = Transaction::new();
        let since = contest.as_ref().map(|contest| contest.claim.since).or(doubted.map(|doubted| doubted.since));
        let mut right = Change::new().remove("contested").remove("release");
        if let Some(since) = since.filter(|_| !place.seat.claims.is_empty()) {
            right = right.set("claims", &place.seat.claims.dismissed(since))?;
        }
        // Whoever wanted the manager released has their answer too.
        transaction.update(place.seat.key(), right, place.seat.as_seen()?);
        let mut detail = format!("account {}", place.seat.member_number);
        if let Some(contest) = &contest {
            let ended = Change::new().set("outcome", &ContestOutcome::Dismissed)?;
            transaction.update(contest.key(), ended, Condition::Exists);
            detail += &format!(" contest {}", contest.contest_id);
        }
        transaction.create(&author.event(StaffAct::ContestDismissed, detail, now))?;
        // Who merely doubted is not told, nor is the manager whom they doubted.
        let told = contest.map(|contest| [Some(contest.manager), contest.by]);
        for reader in told.into_iter().flatten() {
            let wish = Wish::ContestClosed {
                reader,
                siret: place.seat.siret.clone(),
                establishment: place.seat.name.clone(),
                released: false,
            };
            transaction.create(&Outbox::new(Id::random(rng), wish, now))?;
        }
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(Done::quietly(StaffAct::ContestDismissed, json!({"dismissed": place.told()}))),
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }
}

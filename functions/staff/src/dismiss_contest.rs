//! `dismiss-contest`: the claim stands. Access can be given again, and both sides are told.

use portal::domain::Id;
use portal::environment::rng;
use portal::store::{
    Change, Condition, Contest, ContestOutcome, Outbox, Outcome, Record as _, Release, StaffAct, Transaction, Wish,
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
        let Some(contested) = &place.seat.contested else {
            let message = "Nobody contests the manager of this account: there is nothing to dismiss.";
            return Err(Refused::new("not-contested", "establishment", message).into());
        };
        let contest: Option<Contest> = self.store.get(&Contest::key_of(contested)).await?;

        let mut transaction = Transaction::new();
        let same = Condition::is("contested", contested)?;
        transaction.update(place.seat.key(), Change::new().remove("contested"), same);
        let ended = Change::new().set("outcome", &ContestOutcome::Dismissed)?;
        transaction.update(Contest::key_of(contested), ended, Condition::Exists);
        // Whoever wanted the manager released has their answer too.
        transaction.delete(Release::key_of(&place.seat.siret), None);
        let detail = format!("account {} contest {}", place.seat.member_number, contested.contest_id);
        transaction.create(&author.event(StaffAct::ContestDismissed, detail, now))?;
        let manager = place.seat.manager.as_ref().map(|manager| Some(manager.user_id));
        for reader in manager.into_iter().chain([contest.and_then(|contest| contest.by)]) {
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

//! `close-account`: a member account closes before the fund's file says so. Reading stays; claims and grants end.
//!
//! The next record of the account with a higher version decides again, as it does about everything that it holds.

use portal::domain::fund_day;
use portal::environment::rng;
use portal::store::{Change, Condition, Establishment, Outcome, Record as _, StaffAct, Transaction};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble};
use crate::place::{Named, changed_meanwhile};

impl Function {
    pub(crate) async fn close_account(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let place = self.place(&named).await?;
        let today = fund_day(now);
        if let Some(day) = place.account.closed_on.filter(|_| !place.account.is_open(today)) {
            let message = format!("This account is closed since {day}: there is nothing to do.");
            return Err(Refused::new("closed-already", "establishment", message).into());
        }
        let number = &place.seat.member_number;
        let mut transaction = Transaction::new();
        // A day that lies ahead gives way to today.
        let closing = match &place.account.closed_on {
            Some(day) => Condition::is("closed_on", day)?,
            None => Condition::Without("closed_on"),
        };
        let unmoved = vec![Condition::is("version", &place.account.version)?, closing];
        transaction.update(place.account.key(), Change::new().set("closed_on", &today)?, Condition::All(unmoved));
        let ours = Condition::is("member_number", number)?;
        transaction.update(place.seat.key(), Establishment::close(today)?, ours);
        transaction.create(&author.event(StaffAct::AccountClosed, format!("account {number}"), now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["closed_on"] = json!(today);
                Ok(Done::quietly(StaffAct::AccountClosed, json!({"closed": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }
}

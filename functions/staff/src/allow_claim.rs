//! `allow-claim`: a user from whom the staff took an account's role may claim it again.

use portal::environment::rng;
use portal::store::{ClaimBar, Condition, Login, Outcome, Record as _, StaffAct, Transaction};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble};
use crate::place::{Named, changed_meanwhile};

impl Function {
    pub(crate) async fn allow_claim(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        let email = fields.email()?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let place = self.place(&named).await?;
        let number = &place.seat.member_number;
        let login: Option<Login> = self.store.get(&Login::key_of(&email)).await?;
        let bar: Option<ClaimBar> = match &login {
            Some(login) => self.store.get(&ClaimBar::key_of(login.user_id, number)).await?,
            None => None,
        };
        let Some(bar) = bar else {
            let message = "Nobody with this address was released from this account: there is nothing to allow.";
            return Err(Refused::new("not-barred", "email", message).into());
        };
        let mut transaction = Transaction::new();
        transaction.delete(bar.key(), Some(Condition::Exists));
        let detail = format!("account {number} user {}", bar.user_id);
        transaction.create(&author.event(StaffAct::ClaimAllowed, detail, now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => {
                let mut answer = place.told();
                answer["user"] = json!(bar.user_id);
                Ok(Done::quietly(StaffAct::ClaimAllowed, json!({"allowed": answer})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }
}

//! `resume-mail`: an address that bounced or complained is mailed again.
//!
//! For a mailbox that was mended, or a reader who takes a complaint back. SES keeps a list of its own of what
//! bounced; docs/operations.md says how to take an address off that.

use portal::environment::rng;
use portal::store::{Correspondence, Outcome, StaffAct, StoreError, Transaction};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};

/// How often a lost race is run again.
const MOST_ATTEMPTS: usize = 20;

impl Function {
    pub(crate) async fn resume_mail(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let email = fields.email()?;
        fields.finish()?;
        let rng = &mut rng();
        for _ in 0..MOST_ATTEMPTS {
            let now = self.environment.clock.now();
            let seen = Correspondence::of(&self.store, &email, None, now).await?;
            let Some(stopped) = seen.state.stopped.clone() else {
                return Ok(Done::openly(json!({"unchanged": {"stopped": null}})));
            };
            // Evidence outlives who it is about, so it names a user by their id, and no address.
            let whose = seen.login.as_ref().map_or_else(|| "nobody".to_owned(), |login| login.user_id.to_string());
            let detail = format!("{whose} {}", stopped.why.as_str());
            let mut transaction = Transaction::new();
            seen.write(&seen.state.resumed(now), &mut transaction)?;
            transaction.create(&author.event(StaffAct::MailResumed, detail, now))?;
            if let Outcome::Committed = self.store.commit(&transaction, rng).await? {
                let told = json!({"why": stopped.why, "at": stopped.at, "reason": stopped.reason});
                return Ok(Done::quietly(StaffAct::MailResumed, json!({"resumed": told})));
            }
        }
        Err(StoreError::Contention.into())
    }
}

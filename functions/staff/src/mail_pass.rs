//! `mail-pass`: a pass that lets one claim of an establishment's account through, whatever was guessed wrongly.
//!
//! The contact on the fund's file is mailed one when the limit is reached. Where there is none, or where it is not
//! read any more, the staff check who asks, and name the address. The link is in the mail alone.

use portal::domain::{Email, Id, fund_day};
use portal::environment::rng;
use portal::store::{Outbox, Outcome, StaffAct, Transaction, Wish};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble};
use crate::place::{Named, Place, changed_meanwhile};

impl Function {
    pub(crate) async fn mail_pass(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let named = Named::read(&mut fields)?;
        let email = fields.optional_email()?;
        fields.finish()?;
        let Place { account, seat } = self.place(&named).await?;
        let now = self.environment.clock.now();
        if !seat.is_open(fund_day(now)) {
            let message = "This account is closed: nobody can claim it, with a pass or without.";
            return Err(Refused::new("account-closed", "establishment", message).into());
        }
        let on_file = account.contact_email.as_deref().is_some_and(|contact| Email::parse(contact).is_ok());
        if email.is_none() && !on_file {
            let message = "The fund's file has no contact of this account: check who asks, and give their address.";
            return Err(Refused::new("no-contact", "email", message).into());
        }
        let (rng, act) = (&mut rng(), StaffAct::PassMailed);
        // Evidence outlives who it is about, so it says which address by its kind alone.
        let whom = if email.is_some() { "an address given" } else { "the contact on file" };
        let outbox = Outbox::new(Id::random(rng), Wish::ClaimPass { siret: seat.siret.clone(), email }, now);
        let detail = format!("establishment {} {} {whom} {}", seat.siret, seat.member_number, outbox.outbox_id);
        let mut transaction = Transaction::new();
        transaction.create(&author.event(act, detail, now))?;
        transaction.create(&outbox)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => {
                Ok(Done::quietly(act, json!({"queued": {"id": outbox.outbox_id, "mail": "claim-pass"}})))
            }
            Outcome::Refused(_) => Err(changed_meanwhile().into()),
        }
    }
}

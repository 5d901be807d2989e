//! Word to an address that it has access to an account.
//!
//! Whether the address has a space is not looked up here either: one mail serves both.

use jiff::Timestamp;
use portal::domain::{Civility, Email, MemberNumber, PersonName, Siret};
use portal::store::{Change, Condition, InvitationMails, Outbox, Outcome, Record, Transaction};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::mails::{Addressee, Mail};
use crate::{Function, MailError};

/// Who gave access, and to which account.
pub(crate) struct Invited {
    pub(crate) civility: Civility,
    pub(crate) last_name: PersonName,
    pub(crate) member_number: MemberNumber,
    pub(crate) siret: Siret,
    pub(crate) establishment: String,
    pub(crate) until: Timestamp,
}

impl Invited {
    pub(crate) fn told<'a>(&'a self, to: Addressee<'a>, origin: &'a str) -> Mail<'a> {
        Mail::Invitation {
            to,
            origin,
            civility: self.civility,
            last_name: &self.last_name,
            member_number: &self.member_number,
            establishment: &self.establishment,
            siret: &self.siret,
            until: self.until,
        }
    }
}

impl Function {
    /// At most three an hour for an address and an account, so that no manager can flood a mailbox by giving
    /// and taking access.
    pub(crate) async fn invitation(
        &self,
        outbox: &Outbox,
        address: Email,
        invited: Invited,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let number = invited.member_number.clone();
        let mail = Admitted::to_office(address.clone(), Content::Invitation(invited));
        if outbox.admitted {
            return Ok(Attempt::Admitted(mail));
        }
        let seen: Option<InvitationMails> = self.store.get(&InvitationMails::key_of(&address, &number)).await?;
        let more = InvitationMails::with_one_more(seen.as_ref(), &address, &number, outbox.requested_at, now);
        let Some(more) = more else { return Ok(Attempt::Nothing) };
        let mut transaction = Transaction::new();
        transaction.put(&more, Some(InvitationMails::same(seen.as_ref())?))?;
        let open = Condition::All(vec![Condition::is("admitted", &false)?, Condition::is("unsent", &Outbox::UNSENT)?]);
        transaction.update(outbox.key(), Change::new().set("admitted", &true)?, open);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }
}

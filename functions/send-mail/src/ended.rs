//! How a mail ended: held back, sent, refused; written down with the address that it went to.
//!
//! The outbox entry keeps how it ended and loses whom it names. What an address was sent of late stands under the
//! address (`docs/decisions/0067-what-a-bounce-and-a-complaint-stop.md`).

use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::store::{
    Change, Condition, Correspondence, Delivery, EmailProblem, Login, MailSent, MailState, Outbox, Outcome, Transaction,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Content};
use crate::{Function, MailError};

/// How often a lost race is run again; after that the mail is done with, and its address is not told of.
const MOST_ATTEMPTS: usize = 20;

impl Content {
    /// Whether it goes to an address whose reader complained. What keeps a space or an account safe does, notices of claims
    /// and passes among it; the fund's own alerts go always. What a stranger can have sent to anybody, and what is only
    /// good to know, does not.
    pub(crate) fn goes_in_spite_of(&self, problem: EmailProblem) -> bool {
        match self {
            Self::StaffAlert { .. }
            | Self::ContactAlert { .. }
            | Self::ContestAlert { .. }
            | Self::ManagerInactive { .. } => true,
            Self::ClaimNotice(_)
            | Self::ClaimsClosed { .. }
            | Self::ClaimPass { .. }
            | Self::PasswordReset(_)
            | Self::PasswordChanged { .. }
            | Self::EmailChangeNotice { .. }
            | Self::InactivityWarning { .. }
            | Self::UserErased { .. } => problem == EmailProblem::Complained,
            _ => false,
        }
    }
}

impl Function {
    /// Why an address is not mailed any more, where it bounced or complained.
    pub(crate) async fn problem_of(&self, address: &Email, now: Timestamp) -> Result<Option<EmailProblem>, MailError> {
        let stored: Option<MailState> = self.store.get(&MailState::key_of(address)).await?;
        Ok(MailState::or_none(stored, address, now).problem())
    }

    /// Takes the wish out of the index that the sweep reads, and with it the person it names; keeps with the address
    /// what became of it, unless nobody signs in with that: who was just erased leaves nothing behind.
    pub(crate) async fn ended(
        &self,
        outbox_id: Id,
        mail: &Admitted,
        delivery: Delivery,
        reason: Option<&str>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), MailError> {
        for _ in 0..MOST_ATTEMPTS {
            let now = self.environment.clock.now();
            let seen = Correspondence::of(&self.store, &mail.address, Some(outbox_id), now).await?;
            let Some(kind) = seen.kind_on_its_way() else { break };
            let reason = reason.map(str::to_owned);
            let after = seen.state.with_mail(MailSent { outbox_id, kind, at: now, delivery, reason }, now);
            // SES may have told of it already.
            let got = after.mails.iter().find(|known| known.outbox_id == outbox_id).map_or(delivery, |m| m.delivery);
            let done = Change::new().remove("wish").remove("unsent").set("outcome", &got.as_str())?;
            let mut transaction = Transaction::new();
            let open = transaction.update(Outbox::key_of(outbox_id), done, Condition::is("unsent", &Outbox::UNSENT)?);
            seen.write(&after, &mut transaction)?;
            if !seen.outbox.as_ref().is_some_and(Outbox::may_be_anybodys) {
                transaction.check(Login::key_of(&mail.address), Condition::Exists);
            }
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(()),
                Outcome::Refused(refused) if refused.failed(open) => return Ok(()),
                Outcome::Refused(_) => {}
            }
        }
        self.done_with(outbox_id, delivery.as_str()).await
    }
}

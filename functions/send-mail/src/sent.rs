//! What became of a mail, for whoever asks the staff whether it went out.

use portal::domain::Email;
use portal::store::{Condition, Handed, Login, Outbox, Outcome, Record, SentMail, Transaction};
use rand::CryptoRng;

use crate::admit::done;
use crate::{Function, MailError};

/// Mails that are no member's, and the last one to a member, after which nothing of them is kept.
const NOT_TOLD: [&str; 3] = ["staff-alert", "contest-alert", "user-erased"];

impl Function {
    /// Marks a wish as done with, and keeps beside the address what SES said.
    ///
    /// Nothing is kept of an address without a space, but of a sign-up, which is to become one: whoever is erased
    /// while a mail of theirs is on its way leaves no trace.
    pub(crate) async fn handed(
        &self,
        outbox: &Outbox,
        address: &Email,
        handed: Handed,
        rng: &mut impl CryptoRng,
    ) -> Result<(), MailError> {
        let outcome = match handed {
            Handed::Sent => "sent",
            Handed::Refused => "refused by SES",
        };
        let kind = outbox.wish.as_ref().map(|wish| wish.kind()).filter(|kind| !NOT_TOLD.contains(kind));
        if let Some(kind) = kind {
            let now = self.environment.clock.now();
            let mut transaction = Transaction::new();
            transaction.update(outbox.key(), done(outcome)?, Condition::Exists);
            transaction
                .put(&SentMail::new(address.clone(), outbox.outbox_id, kind, handed, outbox.requested_at, now), None)?;
            if kind != "sign-up" {
                transaction.check(Login::key_of(address), Condition::Exists);
            }
            if let Outcome::Committed = self.store.commit(&transaction, rng).await? {
                return Ok(());
            }
        }
        self.done_with(outbox.outbox_id, outcome).await
    }
}

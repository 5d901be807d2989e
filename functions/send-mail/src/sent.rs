//! What became of a mail, for whoever asks the staff whether it went out.

use portal::domain::Email;
use portal::store::{Condition, Handed, Login, Outbox, Outcome, Record, SentMail, Transaction, User};
use rand::CryptoRng;

use crate::admit::done;
use crate::{Function, MailError};

/// Mails that are no member's, and the last one to a member, after which nothing of them is kept.
const NOT_TOLD: [&str; 3] = ["staff-alert", "contest-alert", "user-erased"];

impl Function {
    /// Marks a wish as done with, and keeps with its user what SES said.
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
            let login: Option<Login> = self.store.get(&Login::key_of(address)).await?;
            let user_id = login.map(|login| login.user_id);
            if user_id.is_some() || kind == "sign-up" {
                let (now, requested_at) = (self.environment.clock.now(), outbox.requested_at);
                let sent = SentMail::new(user_id, address.clone(), outbox.outbox_id, kind, handed, requested_at, now);
                let mut transaction = Transaction::new();
                transaction.update(outbox.key(), done(outcome)?, Condition::Exists);
                transaction.put(&sent, None)?;
                if let Some(user_id) = user_id {
                    transaction.check(User::key_of(user_id), Condition::Exists);
                }
                if let Outcome::Committed = self.store.commit(&transaction, rng).await? {
                    return Ok(());
                }
            }
        }
        self.done_with(outbox.outbox_id, outcome).await
    }
}

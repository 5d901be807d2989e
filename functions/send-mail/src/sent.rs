//! What became of a mail, for whoever asks the staff whether it went out.

use portal::domain::Email;
use portal::lambda::EventFunction as _;
use portal::store::{Condition, Handed, Login, Outbox, Outcome, SentMail, StoreError, Transaction, User};
use rand::CryptoRng;
use serde_json::json;

use crate::{Function, MailError};

/// Mails that are no member's, and the last one to a member, after which nothing of them is kept.
const NOT_TOLD: [&str; 3] = ["staff-alert", "contest-alert", "user-erased"];

impl Function {
    /// Marks a wish as done with, and keeps with its user what SES said.
    ///
    /// The mark comes first and stands alone: what is written between SES and the mark, and fails, sends a mail twice.
    /// A failure behind it costs the staff a line of a list.
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
        self.done_with(outbox.outbox_id, outcome).await?;
        if let Err(error) = self.keep(outbox, address, handed, rng).await {
            self.environment.log.line(&json!({
                "level": "error", "function": Self::NAME, "outbox_id": outbox.outbox_id, "error": error.to_string(),
            }));
        }
        Ok(())
    }

    /// Nothing is kept of an address without a space, but of a sign-up, which is to become one: whoever is erased
    /// while a mail of theirs is on its way leaves no trace.
    async fn keep(
        &self,
        outbox: &Outbox,
        address: &Email,
        handed: Handed,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let kind = outbox.wish.as_ref().map(|wish| wish.kind()).filter(|kind| !NOT_TOLD.contains(kind));
        let Some(kind) = kind else { return Ok(()) };
        let login: Option<Login> = self.store.get(&Login::key_of(address)).await?;
        let user_id = login.map(|login| login.user_id);
        if user_id.is_none() && kind != "sign-up" {
            return Ok(());
        }
        let now = self.environment.clock.now();
        let sent = SentMail::new(user_id, address.clone(), outbox.outbox_id, kind, handed, outbox.requested_at, now);
        let mut transaction = Transaction::new();
        transaction.put(&sent, None)?;
        if let Some(user_id) = user_id {
            transaction.check(User::key_of(user_id), Condition::Exists);
        }
        // Refused, where they were erased meanwhile.
        let (Outcome::Committed | Outcome::Refused(_)) = self.store.commit(&transaction, rng).await?;
        Ok(())
    }
}

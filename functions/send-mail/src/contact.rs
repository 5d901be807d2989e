//! Word to the fund's staff that the contact on the fund's file is not reached: nobody there learns of a claim then.

use jiff::Timestamp;
use portal::domain::{Id, Siret, fund_day};
use portal::store::{Alert, ContactTrouble, EmailProblem, Establishment, Outcome, StoreError, Transaction};
use rand::CryptoRng;

use crate::Function;
use crate::admit::{Admitted, Content};

impl Admitted {
    /// The establishment whose contact it goes to.
    pub(crate) fn contact_of(&self) -> Option<&Siret> {
        match &*self.content {
            Content::ClaimNotice(told) if self.is_to_nobody_by_name() => Some(told.siret()),
            Content::ClaimsClosed { siret, .. } => Some(siret),
            _ => None,
        }
    }
}

impl Function {
    /// Alerts the staff once for each message that the contact should have: an attempt that comes back finds the alert.
    pub(crate) async fn alert_of_contact(
        &self,
        outbox_id: Id,
        siret: &Siret,
        why: ContactTrouble,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let mut transaction = Transaction::new();
        Alert::raise_of_contact(outbox_id, siret, why, now, &mut transaction)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed | Outcome::Refused(_) => Ok(()),
        }
    }

    /// The same where the establishment has an open account and its file names no contact.
    pub(crate) async fn alert_of_missing_contact(
        &self,
        outbox_id: Id,
        siret: &Siret,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let establishment: Option<Establishment> = self.store.get(&Establishment::key_of(siret)).await?;
        if establishment.is_some_and(|establishment| establishment.is_open(fund_day(now))) {
            self.alert_of_contact(outbox_id, siret, ContactTrouble::Missing, now, rng).await?;
        }
        Ok(())
    }
}

/// What a stopped address is as a trouble of a contact.
pub(crate) fn trouble(problem: EmailProblem) -> ContactTrouble {
    match problem {
        EmailProblem::Bounced => ContactTrouble::Bounced,
        EmailProblem::Complained => ContactTrouble::Complained,
    }
}

//! The pass for an establishment whose number was guessed too often, or whom the staff give one.

use jiff::Timestamp;
use portal::domain::{Email, Siret, fund_day};
use portal::security::LinkToken;
use portal::store::{
    Account, Change, ClaimPass, Condition, Establishment, Outbox, Outcome, Record, StoreError, Transaction,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::contest::contact_of;
use crate::{Function, MailError};

/// Why a pass is given.
pub(crate) enum Passed {
    /// Too many numbers were wrong.
    Closed,
    /// The staff were asked for it, and checked by whom: at this address, or else at the one on the fund's file.
    ByStaff(Option<Email>),
}

impl Function {
    /// A pass to the contact address on the fund's file, or to one that the staff checked; nothing where there is
    /// neither, or where there is nothing to claim.
    pub(crate) async fn claim_pass(
        &self,
        outbox: &Outbox,
        siret: Siret,
        passed: Passed,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let account = self.account_of(&siret).await?.filter(|account| account.is_open(fund_day(now)));
        let Some(account) = account else { return Ok(Attempt::Nothing) };
        let contact = match &passed {
            Passed::ByStaff(Some(email)) => Some(email.clone()),
            Passed::ByStaff(None) | Passed::Closed => contact_of(Some(account.clone())),
        };
        let Some(contact) = contact else {
            self.alert_of_missing_contact(outbox.outbox_id, &siret, now, rng).await?;
            return Ok(Attempt::Nothing);
        };
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let pass = ClaimPass::new(token.hashed().as_str().to_owned(), siret.clone(), account.member_number, now);
        let (establishment, until) = (account.name, pass.expires_at);
        let content = match passed {
            Passed::Closed => Content::ClaimsClosed { token, siret, establishment, until },
            Passed::ByStaff(_) => Content::ClaimPass { token, siret, establishment, until },
        };
        let mail = Admitted::to_office(contact, content);
        if outbox.admitted {
            // An earlier attempt got this far: the pass is there, unless it was used.
            let unused = self.store.get::<ClaimPass>(&pass.key()).await?.is_some();
            return Ok(if unused { Attempt::Admitted(mail) } else { Attempt::Nothing });
        }
        let mut transaction = Transaction::new();
        transaction.create(&pass)?;
        let open = Condition::All(vec![Condition::is("admitted", &false)?, Condition::is("unsent", &Outbox::UNSENT)?]);
        transaction.update(outbox.key(), Change::new().set("admitted", &true)?, open);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }

    /// The account of an establishment, open or not, and whom the fund writes to about it.
    pub(crate) async fn contact(&self, siret: &Siret) -> Result<Option<(Account, Email)>, StoreError> {
        let account = self.account_of(siret).await?;
        Ok(account.and_then(|account| {
            let contact = contact_of(Some(account.clone()))?;
            Some((account, contact))
        }))
    }

    /// The account of an establishment, open or not.
    async fn account_of(&self, siret: &Siret) -> Result<Option<Account>, StoreError> {
        let establishment: Option<Establishment> = self.store.get(&Establishment::key_of(siret)).await?;
        let Some(establishment) = establishment else { return Ok(None) };
        self.store.get(&Account::key_of(&establishment.member_number)).await
    }
}

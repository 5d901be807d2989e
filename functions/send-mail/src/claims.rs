//! The pass for an establishment whose number was guessed too often.

use jiff::Timestamp;
use portal::domain::{Email, Siret};
use portal::security::LinkToken;
use portal::store::{
    Account, Change, ClaimPass, Condition, Establishment, Outbox, Outcome, Record, StoreError, Transaction,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::contest::contact_of;
use crate::{Function, MailError};

impl Function {
    /// A pass to the contact address on the fund's file; nothing where there is none, or where there is
    /// nothing to claim.
    pub(crate) async fn claims_closed(
        &self,
        outbox: &Outbox,
        siret: Siret,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Some((account, contact)) = self.contact(&siret).await? else { return Ok(Attempt::Nothing) };
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let pass = ClaimPass::new(token.hashed().as_str().to_owned(), siret.clone(), account.member_number, now);
        let content = Content::ClaimsClosed { token, siret, establishment: account.name, until: pass.expires_at };
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

    /// The open account of an establishment, and whom the fund writes to about it.
    pub(crate) async fn contact(&self, siret: &Siret) -> Result<Option<(Account, Email)>, StoreError> {
        let establishment: Option<Establishment> = self.store.get(&Establishment::key_of(siret)).await?;
        let Some(establishment) = establishment.filter(|establishment| establishment.open) else { return Ok(None) };
        let account: Option<Account> = self.store.get(&Account::key_of(&establishment.member_number)).await?;
        Ok(account.and_then(|account| {
            let contact = contact_of(Some(account.clone()))?;
            Some((account, contact))
        }))
    }
}

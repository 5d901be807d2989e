//! Somebody became manager, and whoever belongs to the establishment may say that this is not right.
//!
//! A claim writes one wish. It becomes one for each of them here, under ids that derive from its own: whatever is
//! repeated after a crash finds what it wrote. What each is told, and whether they are to know the manager's
//! name, is looked up when their mail goes out (`docs/decisions/0063-who-is-told-of-a-claim.md`).

use jiff::Timestamp;
use portal::domain::{Civility, Email, Id, PersonName, Siret};
use portal::security::LinkToken;
use portal::store::{
    Account, Batch, Change, ClaimOf, Condition, ContestLink, Establishment, Grant, Login, Outbox, Outcome, Proof,
    Record, Resident, StoreError, Transaction, User, Wish,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::mails::{Addressee, Mail};
use crate::{Function, MailError};

/// A claim as one of those it concerns is told of it.
pub(crate) struct Told {
    token: LinkToken,
    siret: Siret,
    establishment: String,
    /// Who became manager, for those who are entitled to the name.
    manager: Option<(Civility, PersonName)>,
    at: Timestamp,
    until: Timestamp,
}

impl Told {
    pub(crate) fn siret(&self) -> &Siret {
        &self.siret
    }

    pub(crate) fn with<R>(&self, to: Addressee<'_>, origin: &str, render: impl FnOnce(&Mail<'_>) -> R) -> R {
        let Self { token, siret, establishment, manager, at, until } = self;
        render(&Mail::ClaimNotice {
            to,
            origin,
            token: &token.to_text(),
            establishment,
            siret,
            manager: manager.as_ref().map(|(civility, last_name)| (*civility, last_name)),
            claimed_at: *at,
            until: *until,
        })
    }
}

impl Function {
    /// A wish for each user of the establishment but the new manager, and for the contact on the fund's file.
    pub(crate) async fn claim_told(
        &self,
        outbox: &Outbox,
        claim: &ClaimOf,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let seat: Option<Establishment> = self.store.get(&Establishment::key_of(&claim.siret)).await?;
        let Some(manager) = seat.filter(|seat| claim.stands(seat)).and_then(|seat| seat.manager) else {
            return Ok(Attempt::Nothing);
        };
        let residents: Vec<Resident> = self.store.query_all(&Resident::all_of(&claim.siret)).await?;
        let is_told =
            |user_id: Id| user_id == manager.user_id || residents.iter().any(|other| other.user_id == user_id);
        let users = residents.iter().map(|resident| resident.user_id).filter(|user_id| *user_id != manager.user_id);
        let mut readers: Vec<Option<Id>> = users.map(Some).collect();
        if let Some((_, contact)) = self.contact(&claim.siret).await? {
            // Whoever reads it as a user is not told twice.
            let login: Option<Login> = self.store.get(&Login::key_of(&contact)).await?;
            if !login.is_some_and(|login| is_told(login.user_id)) {
                readers.push(None);
            }
        } else {
            self.alert_of_missing_contact(outbox.outbox_id, &claim.siret, now, rng).await?;
        }
        for reader in readers {
            let name = reader.map_or_else(|| "contact".to_owned(), |user_id| user_id.to_string());
            self.store.create(&outbox.branch(&name, Wish::ClaimNotice { claim: claim.clone(), reader })).await?;
        }
        Ok(Attempt::Nothing)
    }

    /// A link of one's own; nothing where the claim is over, or the reader is not of the establishment any more.
    pub(crate) async fn claim_notice(
        &self,
        outbox: &Outbox,
        claim: ClaimOf,
        reader: Option<Id>,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let mut batch = Batch::new();
        let establishment = batch.want::<Establishment>(Establishment::key_of(&claim.siret));
        let account = batch.want::<Account>(Account::key_of(&claim.member_number));
        let person = reader.map(|user_id| {
            let user = batch.want::<User>(User::key_of(user_id));
            let proof = batch.want::<Proof>(Proof::key_of(user_id, &claim.member_number));
            (user, proof, batch.want::<Grant>(Grant::key_of(user_id, &claim.member_number)))
        });
        let mut fetched = self.store.fetch(batch).await?;
        let establishment = fetched.take(&establishment)?.filter(|establishment| claim.stands(establishment));
        let Some(establishment) = establishment else { return Ok(Attempt::Nothing) };
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let hash = token.hashed().as_str().to_owned();
        let link = ContestLink::new(hash, claim.clone(), reader, outbox.requested_at);
        let mut told = Told {
            token,
            siret: claim.siret.clone(),
            establishment: establishment.name,
            manager: None,
            at: claim.since,
            until: link.expires_at,
        };
        let mut transaction = Transaction::new();
        let mail = match &person {
            None => {
                let Some(contact) = contact_of(fetched.take(&account)?) else { return Ok(Attempt::Nothing) };
                Admitted::to_office(contact, Content::ClaimNotice(told))
            }
            Some((user, proof, grant)) => {
                let user = fetched.take(user)?.filter(|user| user.siret == claim.siret);
                let Some(user) = user else { return Ok(Attempt::Nothing) };
                // None comes to be for somebody who is erased, or leaves, at this moment.
                transaction.check(user.key(), Condition::is("siret", &claim.siret)?);
                let entitled = fetched.take(proof)?.is_some() || fetched.take(grant)?.is_some();
                told.manager = establishment.manager.filter(|_| entitled).map(|m| (m.civility, m.last_name));
                Admitted::to_person(user.email, user.civility, user.last_name, Content::ClaimNotice(told))
            }
        };
        if outbox.admitted {
            // An earlier attempt got this far: the link is there, unless it was used.
            let unused = self.store.get::<ContestLink>(&link.key()).await?.is_some();
            return Ok(if unused { Attempt::Admitted(mail) } else { Attempt::Nothing });
        }
        transaction.create(&link)?;
        let open = Condition::All(vec![Condition::is("admitted", &false)?, Condition::is("unsent", &Outbox::UNSENT)?]);
        transaction.update(outbox.key(), Change::new().set("admitted", &true)?, open);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }

    /// A mail to a user, or to the contact on the fund's file; nothing where there is neither any more.
    pub(crate) async fn to_reader(
        &self,
        reader: Option<Id>,
        siret: &Siret,
        content: Content,
    ) -> Result<Attempt, StoreError> {
        let Some(user_id) = reader else {
            let contact = self.contact(siret).await?;
            return Ok(contact
                .map_or(Attempt::Nothing, |(_, contact)| Attempt::Admitted(Admitted::to_office(contact, content))));
        };
        let user: Option<User> = self.store.get(&User::key_of(user_id)).await?;
        Ok(user.map_or(Attempt::Nothing, |user| {
            Attempt::Admitted(Admitted::to_person(user.email, user.civility, user.last_name, content))
        }))
    }
}

/// Whom the fund writes to about an account. Its file is not held to what the portal takes for an address.
pub(crate) fn contact_of(account: Option<Account>) -> Option<Email> {
    Email::parse(account?.contact_email.as_deref()?).ok()
}

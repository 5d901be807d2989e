//! Somebody became manager, and those whom it concerns may say that this is not right.
//!
//! A claim writes one wish. It becomes one for each of them here, under ids that derive from its own: whatever is
//! repeated after a crash finds what it wrote. A claim that was made is told, whether it stands by then or not; what each
//! is told, and whether they are to know the manager's name, is looked up when their mail goes out
//! (`docs/decisions/0063-who-is-told-of-a-claim.md`).

use std::collections::BTreeSet;

use jiff::Timestamp;
use portal::domain::{Civility, Email, Id, PersonName, Siret};
use portal::security::LinkToken;
use portal::store::{
    Account, Batch, Change, ClaimOf, Condition, ContestLink, Establishment, Grant, GrantMirror, Login, Manager, Outbox,
    Outcome, PastClaim, Proof, Record, Resident, StoreError, Transaction, User, Wanted, Wish,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::mails::{Addressee, Mail};
use crate::{Function, MailError};

/// The most users who are told of a claim, beside the contact on the fund's file: three claims a day cause some sixty
/// mails at most.
const MOST_TOLD: usize = 20;

/// A claim as one of those it concerns is told of it.
pub(crate) struct Told {
    token: LinkToken,
    siret: Siret,
    establishment: String,
    /// Who became manager, for those who are entitled to the name.
    manager: Option<(Civility, PersonName)>,
    at: Timestamp,
    /// When its manager lost the role, where they did.
    ended: Option<Timestamp>,
    /// Whether the link freezes; else it is a voice for the staff.
    freezes: bool,
    until: Timestamp,
}

impl Told {
    pub(crate) fn siret(&self) -> &Siret {
        &self.siret
    }

    pub(crate) fn with<R>(&self, to: Addressee<'_>, origin: &str, render: impl FnOnce(&Mail<'_>) -> R) -> R {
        let Self { token, siret, establishment, manager, at, ended, freezes, until } = self;
        render(&Mail::ClaimNotice {
            to,
            origin,
            token: &token.to_text(),
            establishment,
            siret,
            manager: manager.as_ref().map(|(civility, last_name)| (*civility, last_name)),
            claimed_at: *at,
            ended_at: *ended,
            freezes: *freezes,
            until: *until,
        })
    }
}

impl Function {
    /// A wish for the contact on the fund's file, for those who have access or proved the number, whose links freeze, and
    /// for others of the establishment; for [`MOST_TOLD`] users at most.
    pub(crate) async fn claim_told(
        &self,
        outbox: &Outbox,
        claim: &ClaimOf,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let account: Option<Account> = self.store.get(&Account::key_of(&claim.member_number)).await?;
        let Some(account) = account else { return Ok(Attempt::Nothing) };
        let claimed = self.claimed(&account, claim).await?.map(|(claimed, _)| claimed.user_id);
        let siret = account.siret.clone();
        let contact = match contact_of(Some(account)) {
            Some(contact) => {
                let login: Option<Login> = self.store.get(&Login::key_of(&contact)).await?;
                Some(login.map(|login| login.user_id))
            }
            None => {
                self.alert_of_missing_contact(outbox.outbox_id, &siret, now, rng).await?;
                None
            }
        };
        let mut readers: Vec<(Option<Id>, bool)> = Vec::new();
        // Who claimed has a mail of their own at that address.
        if contact.is_some_and(|owner| owner.is_none() || owner != claimed) {
            readers.push((None, true));
        }
        let is_told = |user_id: &Id| Some(*user_id) != claimed && contact != Some(Some(*user_id));
        let users = self.concerned(claim).await?.into_iter().filter(|(user_id, _)| is_told(user_id));
        readers.extend(users.take(MOST_TOLD).map(|(user_id, freezes)| (Some(user_id), freezes)));
        for (reader, freezes) in readers {
            let name = reader.map_or_else(|| "contact".to_owned(), |user_id| user_id.to_string());
            let notice = Wish::ClaimNotice { claim: claim.clone(), reader, freezes };
            self.store.create(&outbox.branch(&name, notice)).await?;
        }
        Ok(Attempt::Nothing)
    }

    /// The users whom a claim concerns, each with whether they may freeze it: those who have access, those who had it
    /// before first, then who proved the number, then who merely has the SIRET.
    async fn concerned(&self, claim: &ClaimOf) -> Result<Vec<(Id, bool)>, MailError> {
        let mut grants: Vec<GrantMirror> = self.store.query_all(&Grant::all_on(&claim.member_number)).await?;
        grants.sort_by_key(|GrantMirror(grant)| (grant.given_at(), grant.user_id));
        let residents: Vec<Resident> = self.store.query_all(&Resident::all_of(&claim.siret)).await?;
        let mut batch = Batch::new();
        let proofs: Vec<(Id, Wanted<Proof>)> = residents
            .iter()
            .map(|resident| (resident.user_id, batch.want(Proof::key_of(resident.user_id, &claim.member_number))))
            .collect();
        let mut fetched = self.store.fetch(batch).await?;
        let (mut proved, mut others) = (Vec::new(), Vec::new());
        for (user_id, proof) in &proofs {
            let those = if fetched.take(proof)?.is_some() { &mut proved } else { &mut others };
            those.push(*user_id);
        }
        let granted = grants.iter().map(|GrantMirror(grant)| grant.user_id);
        let freezing = granted.chain(proved).map(|user_id| (user_id, true));
        let mut seen = BTreeSet::new();
        let all = freezing.chain(others.into_iter().map(|user_id| (user_id, false)));
        Ok(all.filter(|(user_id, _)| seen.insert(*user_id)).collect())
    }

    /// What is known of a claim, and who has the role by it still.
    async fn claimed(
        &self,
        account: &Account,
        claim: &ClaimOf,
    ) -> Result<Option<(PastClaim, Option<Manager>)>, StoreError> {
        let seat: Option<Establishment> = self.store.get(&Establishment::key_of(&account.siret)).await?;
        let seat = seat.filter(|seat| seat.member_number == account.member_number);
        let sits = seat.as_ref().filter(|seat| claim.stands(seat)).and_then(|seat| seat.manager.clone());
        let claims = seat.map(|seat| seat.claims).or_else(|| account.parked.clone().map(|parked| parked.claims));
        Ok(claims.and_then(|claims| claims.of(claim.since).cloned()).map(|claimed| (claimed, sits)))
    }

    /// A link of one's own; nothing where the reader was erased, or was told as one of the establishment and is not of it
    /// any more.
    pub(crate) async fn claim_notice(
        &self,
        outbox: &Outbox,
        (claim, reader, freezes): (ClaimOf, Option<Id>, bool),
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let mut batch = Batch::new();
        let account = batch.want::<Account>(Account::key_of(&claim.member_number));
        let person = reader.map(|user_id| {
            let user = batch.want::<User>(User::key_of(user_id));
            let proof = batch.want::<Proof>(Proof::key_of(user_id, &claim.member_number));
            (user, proof, batch.want::<Grant>(Grant::key_of(user_id, &claim.member_number)))
        });
        let mut fetched = self.store.fetch(batch).await?;
        let Some(account) = fetched.take(&account)? else { return Ok(Attempt::Nothing) };
        let claimed = self.claimed(&account, &claim).await?;
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let hash = token.hashed().as_str().to_owned();
        let mut link = ContestLink { freezes, ..ContestLink::new(hash, claim.clone(), reader, outbox.requested_at) };
        let mut told = Told {
            token,
            siret: claim.siret.clone(),
            establishment: account.name.clone(),
            manager: None,
            at: claim.since,
            ended: claimed.as_ref().and_then(|(claimed, _)| claimed.until),
            freezes,
            until: link.expires_at,
        };
        let mut transaction = Transaction::new();
        let mail = match &person {
            None => {
                let Some(contact) = contact_of(Some(account)) else { return Ok(Attempt::Nothing) };
                Admitted::to_office(contact, Content::ClaimNotice(told))
            }
            Some((user, proof, grant)) => {
                let Some(user) = fetched.take(user)? else { return Ok(Attempt::Nothing) };
                let is_resident = user.siret == claim.siret || user.siret == account.siret;
                let has_access = fetched.take(grant)?.is_some();
                if !(is_resident || has_access && freezes) {
                    return Ok(Attempt::Nothing);
                }
                link.of_establishment = is_resident;
                // None comes to be for somebody who is erased, or leaves, at this moment.
                transaction.check(user.key(), Condition::is("siret", &user.siret)?);
                if fetched.take(proof)?.is_some() || has_access {
                    told.manager = self.named(claimed.as_ref()).await?;
                }
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

    /// The name of who has the role by a claim, or had it, unless they were erased.
    async fn named(
        &self,
        claimed: Option<&(PastClaim, Option<Manager>)>,
    ) -> Result<Option<(Civility, PersonName)>, StoreError> {
        match claimed {
            None => Ok(None),
            Some((_, Some(manager))) => Ok(Some((manager.civility, manager.last_name.clone()))),
            Some((claimed, None)) => {
                let user: Option<User> = self.store.get(&User::key_of(claimed.user_id)).await?;
                Ok(user.map(|user| (user.civility, user.last_name)))
            }
        }
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

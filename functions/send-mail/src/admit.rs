//! Which mail a wish becomes, if any: the address looked up, the limit kept, the link written down.
//!
//! All of it is one transaction on the wish, the address's history and the link, so that two that race
//! for one address admit one mail between them, and an attempt that comes back finds what it wrote.

use std::time::Duration;

use jiff::Timestamp;
use portal::domain::{Civility, DocumentKind, Email, Id, MemberNumber, PersonName, Siret};
use portal::security::LinkToken;
use portal::store::{
    Batch, Change, Condition, ContactTrouble, Draft, Establishment, Invitation, Link, Login, MailHistory, Named,
    Outbox, Outcome, Owner, Purpose, Record, Reservation, StoreError, Transaction, User, Wish, document_version,
};
use rand::CryptoRng;

use crate::claims::Passed;
use crate::colleagues::{Asking, Dealing, Deed, OfAccount};
use crate::contest::Told;
use crate::invitation::Invited;
use crate::mails::{Addressee, Mail, Rendered, SpaceOwner, render};
use crate::receipt::Accepted;
use crate::{Function, MailError};

/// How often a lost race is run again before the stream brings the wish back.
const MOST_ATTEMPTS: usize = 20;

/// How long a history is kept: as long as the newest link lives, and a day besides.
const HISTORY_KEPT: Duration = Duration::from_secs(48 * 3600);

/// A mail that may go out.
pub(crate) struct Admitted {
    /// To whom.
    pub(crate) address: Email,
    /// Whom it greets; nobody by name where it goes to an establishment or to the fund's staff.
    person: Option<(Civility, PersonName)>,
    /// Boxed: a receipt is some hundred bytes, an attempt that admits nothing none.
    pub(crate) content: Box<Content>,
}

pub(crate) enum Content {
    Activation { token: LinkToken, draft: Box<Draft>, establishment: Option<String> },
    AlreadyRegistered,
    PasswordReset(LinkToken),
    PasswordChanged { at: Timestamp },
    EmailChange { token: LinkToken, owner: SpaceOwner },
    EmailChangeNotice { token: LinkToken, asked_at: Timestamp, until: Timestamp },
    UserErased { at: Timestamp, inactive: bool },
    InactivityWarning { ends_at: Timestamp },
    ManagerInactive { user_id: Id, member_number: MemberNumber },
    ClaimMade { member_number: MemberNumber, siret: Siret, establishment: String, accepted: Accepted, at: Timestamp },
    Invitation(Invited),
    AccessRequest(Asking),
    AccessRefused { siret: Siret, establishment: String },
    Dealing(Dealing),
    AcceptanceReceipt(Accepted),
    ClaimsClosed { token: LinkToken, siret: Siret, establishment: String, until: Timestamp },
    ClaimPass { token: LinkToken, siret: Siret, establishment: String, until: Timestamp },
    StaffAlert { siret: Siret, user_id: Option<Id>, at: Timestamp },
    ContactAlert { siret: Siret, why: ContactTrouble, at: Timestamp },
    ClaimNotice(Told),
    ContestAlert { siret: Siret, manager: Id, freezes: bool, at: Timestamp },
    ManagerReleased { siret: Siret, establishment: String, at: Timestamp },
    ContestClosed { siret: Siret, establishment: String, released: bool, at: Timestamp },
}

impl Admitted {
    /// A mail to somebody whose name is known.
    pub(crate) fn to_person(address: Email, civility: Civility, last_name: PersonName, content: Content) -> Self {
        Self { address, person: Some((civility, last_name)), content: Box::new(content) }
    }

    /// A mail to an address behind which there may be anybody.
    pub(crate) fn to_office(address: Email, content: Content) -> Self {
        Self { address, person: None, content: Box::new(content) }
    }

    /// Whether it greets nobody by name.
    pub(crate) fn is_to_nobody_by_name(&self) -> bool {
        self.person.is_none()
    }

    pub(crate) fn render(&self, origin: &str) -> Result<Rendered, askama::Error> {
        let to = match &self.person {
            Some((civility, last_name)) => Addressee::Person { civility: *civility, last_name },
            None => Addressee::Office,
        };
        match &*self.content {
            Content::ClaimsClosed { token, siret, establishment, until } => {
                let (token, establishment) = (&token.to_text(), establishment.as_str());
                render(&Mail::ClaimsClosed { to, origin, token, establishment, siret, until: *until })
            }
            Content::ClaimPass { token, siret, establishment, until } => {
                let (token, establishment) = (&token.to_text(), establishment.as_str());
                render(&Mail::ClaimPass { to, origin, token, establishment, siret, until: *until })
            }
            Content::StaffAlert { siret, user_id, at } => {
                render(&Mail::StaffAlert { to, origin, siret, user_id: *user_id, at: *at })
            }
            Content::ContactAlert { siret, why, at } => {
                render(&Mail::ContactAlert { to, origin, siret, why: *why, at: *at })
            }
            Content::ClaimNotice(told) => told.with(to, origin, render),
            Content::ContestAlert { siret, manager, freezes, at } => {
                render(&Mail::ContestAlert { to, origin, siret, manager: *manager, freezes: *freezes, at: *at })
            }
            Content::ManagerReleased { siret, establishment, at } => {
                render(&Mail::ManagerReleased { to, origin, establishment, siret, at: *at })
            }
            Content::ContestClosed { siret, establishment, released, at } => {
                render(&Mail::ContestClosed { to, origin, establishment, siret, released: *released, at: *at })
            }
            Content::Activation { token, draft, establishment } => {
                let (token, establishment) = (&token.to_text(), establishment.as_deref());
                render(&Mail::Activation { to, origin, token, draft, establishment })
            }
            Content::AlreadyRegistered => render(&Mail::AlreadyRegistered { to, origin }),
            Content::PasswordReset(token) => render(&Mail::PasswordReset { to, origin, token: &token.to_text() }),
            Content::PasswordChanged { at } => render(&Mail::PasswordChanged { to, origin, changed_at: *at }),
            Content::EmailChange { token, owner } => {
                render(&Mail::EmailChange { to, origin, token: &token.to_text(), owner })
            }
            Content::EmailChangeNotice { token, asked_at, until } => {
                let token = &token.to_text();
                render(&Mail::EmailChangeNotice { to, origin, token, asked_at: *asked_at, until: *until })
            }
            Content::UserErased { at, inactive: false } => render(&Mail::UserErased { to, origin, erased_at: *at }),
            Content::UserErased { at, inactive: true } => render(&Mail::UserExpired { to, origin, erased_at: *at }),
            Content::InactivityWarning { ends_at } => {
                render(&Mail::InactivityWarning { to, origin, ends_at: *ends_at })
            }
            Content::ManagerInactive { user_id, member_number } => {
                render(&Mail::ManagerInactive { to, origin, user_id: *user_id, member_number })
            }
            Content::ClaimMade { member_number, siret, establishment, accepted, at } => {
                let (establishment, accepted) = (establishment.as_str(), accepted.told());
                render(&Mail::ClaimMade { to, origin, member_number, establishment, siret, accepted, claimed_at: *at })
            }
            Content::Invitation(invited) => render(&invited.told(to, origin)),
            Content::AccessRequest(asking) => render(&asking.told(to, origin)),
            Content::AccessRefused { siret, establishment } => {
                render(&Mail::AccessRefused { to, origin, establishment, siret })
            }
            Content::Dealing(dealing) => render(&dealing.told(to, origin)),
            Content::AcceptanceReceipt(accepted) => {
                render(&Mail::AcceptanceReceipt { to, origin, accepted: accepted.told() })
            }
        }
    }
}

/// What is kept under an address.
pub(crate) struct Found {
    pub(crate) login: Option<Login>,
    pub(crate) history: Option<MailHistory>,
    reservation: Option<Reservation>,
}

impl Found {
    /// Whose the address is: who signs in with it, or who left it and can come back.
    pub(crate) fn taken_by(&self, now: Timestamp) -> Option<Id> {
        let reserved = self.reservation.as_ref().filter(|reservation| reservation.is_in_force(now));
        let reserved = reserved.map(|reservation| reservation.user_id);
        self.login.as_ref().map(|login| login.user_id).or(reserved)
    }
}

/// How an attempt to admit ended.
pub(crate) enum Attempt {
    Admitted(Admitted),
    Nothing,
    RaceLost,
}

impl Function {
    /// The mail that a wish becomes; `None` where it is done with, or becomes none.
    ///
    /// No two invocations are at one wish: a stream hands the items of one partition, the sweep's knocks
    /// among them, to one invocation after the other.
    pub(crate) async fn admit(
        &self,
        outbox_id: Id,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Admitted>, MailError> {
        for _ in 0..MOST_ATTEMPTS {
            let Some(outbox) = self.store.get::<Outbox>(&Outbox::key_of(outbox_id)).await? else { return Ok(None) };
            let Some(wish) = outbox.wish.clone() else { return Ok(None) };
            match self.attempt(&outbox, wish, now, rng).await? {
                Attempt::Admitted(mail) => return Ok(Some(mail)),
                Attempt::RaceLost => {}
                Attempt::Nothing => {
                    self.done_with(outbox_id, "no mail").await?;
                    return Ok(None);
                }
            }
        }
        Err(MailError::Contention)
    }

    async fn attempt(
        &self,
        outbox: &Outbox,
        wish: Wish,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        match wish {
            Wish::SignUp { draft } => self.sign_up(outbox, draft, now, rng).await,
            Wish::Reset { email } => self.reset(outbox, email, now, rng).await,
            Wish::PasswordChanged { email, civility, last_name } => {
                let content = Content::PasswordChanged { at: outbox.requested_at };
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::EmailChange { user_id, change_id } => self.email_change(outbox, user_id, change_id, now, rng).await,
            Wish::EmailChangeNotice { user_id, change_id } => {
                self.email_change_notice(outbox, user_id, change_id, now, rng).await
            }
            Wish::UserErased { email, civility, last_name, inactive } => {
                let content = Content::UserErased { at: outbox.requested_at, inactive };
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::InactivityWarning { email, civility, last_name, ends_at } => {
                let content = Content::InactivityWarning { ends_at };
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::ManagerInactive { user_id, member_number } => {
                let content = Content::ManagerInactive { user_id, member_number };
                Ok(Attempt::Admitted(Admitted::to_office(self.staff.clone(), content)))
            }
            Wish::ClaimMade { email, civility, last_name, member_number, siret, establishment, receipt } => {
                let (accepted, at) = (self.accepted(receipt).await?, outbox.requested_at);
                let content = Content::ClaimMade { member_number, siret, establishment, accepted, at };
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::ClaimsClosed { siret } => self.claim_pass(outbox, siret, Passed::Closed, now, rng).await,
            Wish::ClaimPass { siret, email } => self.claim_pass(outbox, siret, Passed::ByStaff(email), now, rng).await,
            Wish::StaffAlert { siret, user_id } => {
                let content = Content::StaffAlert { siret, user_id, at: outbox.requested_at };
                Ok(Attempt::Admitted(Admitted::to_office(self.staff.clone(), content)))
            }
            Wish::ContactAlert { siret, why } => {
                let content = Content::ContactAlert { siret, why, at: outbox.requested_at };
                Ok(Attempt::Admitted(Admitted::to_office(self.staff.clone(), content)))
            }
            Wish::ClaimTold { claim } => self.claim_told(outbox, &claim, now, rng).await,
            Wish::ClaimNotice { claim, reader, freezes } => {
                self.claim_notice(outbox, (claim, reader, freezes), rng).await
            }
            Wish::ContestAlert { claim, manager, freezes } => {
                let (siret, at) = (claim.siret, outbox.requested_at);
                let content = Content::ContestAlert { siret, manager, freezes, at };
                Ok(Attempt::Admitted(Admitted::to_office(self.staff.clone(), content)))
            }
            Wish::ManagerReleased { user_id, siret, establishment } => {
                let content = Content::ManagerReleased { siret: siret.clone(), establishment, at: outbox.requested_at };
                Ok(self.to_reader(Some(user_id), &siret, content).await?)
            }
            Wish::ContestClosed { reader, siret, establishment, released } => {
                let at = outbox.requested_at;
                let content = Content::ContestClosed { siret: siret.clone(), establishment, released, at };
                Ok(self.to_reader(reader, &siret, content).await?)
            }
            Wish::Invitation { email, civility, last_name, member_number, siret, establishment } => {
                let until = outbox.requested_at + Invitation::LIFETIME;
                let invited = Invited { civility, last_name, member_number, siret, establishment, until };
                self.invitation(outbox, email, invited, now, rng).await
            }
            Wish::AccessRequested { user_id, member_number } => {
                self.access_requested(outbox, user_id, member_number, now, rng).await
            }
            Wish::AccessRefused { email, civility, last_name, siret, establishment } => {
                let content = Content::AccessRefused { siret, establishment };
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::AccessApproved { email, civility, last_name, manager, member_number, siret, establishment } => {
                let of = OfAccount { member_number, siret, establishment };
                let content = dealing(outbox, Deed::Approved, manager, of);
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::RoleHandedOver { email, civility, last_name, to, member_number, siret, establishment } => {
                let of = OfAccount { member_number, siret, establishment };
                let content = dealing(outbox, Deed::HandedOver, to, of);
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::RoleTakenOver { email, civility, last_name, from, member_number, siret, establishment } => {
                let of = OfAccount { member_number, siret, establishment };
                let content = dealing(outbox, Deed::TakenOver, from, of);
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
            Wish::AcceptanceReceipt { email, civility, last_name, receipt } => {
                let content = Content::AcceptanceReceipt(self.accepted(receipt).await?);
                Ok(Attempt::Admitted(Admitted::to_person(email, civility, last_name, content)))
            }
        }
    }

    /// An activation link where the address is free, a word to its owner where it is not.
    async fn sign_up(
        &self,
        outbox: &Outbox,
        draft: Draft,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let address = draft.email.clone();
        if !self.terms_were_in_force(outbox, &draft).await? {
            return Ok(Attempt::Nothing);
        }
        let found = self.look_up(&address, Purpose::Activation).await?;
        if let Some(user_id) = found.taken_by(now) {
            return self.already_registered(outbox, address, user_id, found.history, now, rng).await;
        }
        let history = found.history;
        let on_file: Option<Establishment> = self.store.get(&Establishment::key_of(&draft.siret)).await?;
        let establishment = on_file.map(|establishment| establishment.name);
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let link = Link {
            hash: token.hashed().as_str().to_owned(),
            purpose: Purpose::Activation,
            email: address.clone(),
            owner: None,
            draft: Some(draft.clone()),
            establishment: establishment.clone(),
            change: None,
            requested_at: outbox.requested_at,
            expires_at: now + Purpose::Activation.lifetime(),
            ttl: (now + Purpose::Activation.lifetime()).as_second(),
        };
        let (civility, last_name) = (draft.civility, draft.last_name.clone());
        let content = Content::Activation { token, draft: Box::new(draft), establishment };
        let mail = Admitted::to_person(address, civility, last_name, content);
        self.limited(outbox, history, Some(link), mail, now, rng).await
    }

    /// A reset link where there is an account; nothing where there is none.
    async fn reset(
        &self,
        outbox: &Outbox,
        address: Email,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Found { login, history, .. } = self.look_up(&address, Purpose::Reset).await?;
        let Some(login) = login else { return Ok(Attempt::Nothing) };
        let Some(user) = self.store.get::<User>(&User::key_of(login.user_id)).await? else {
            return Ok(Attempt::Nothing);
        };
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let owner = Owner {
            user_id: user.user_id,
            civility: user.civility,
            last_name: user.last_name.clone(),
            first_name: user.first_name,
            siret: user.siret,
            seal_key: user.seal_key,
        };
        let link = Link {
            hash: token.hashed().as_str().to_owned(),
            purpose: Purpose::Reset,
            email: address.clone(),
            owner: Some(owner),
            draft: None,
            establishment: None,
            change: None,
            requested_at: outbox.requested_at,
            expires_at: now + Purpose::Reset.lifetime(),
            ttl: (now + Purpose::Reset.lifetime()).as_second(),
        };
        let (civility, last_name) = (user.civility, user.last_name);
        let mail = Admitted::to_person(address, civility, last_name, Content::PasswordReset(token));
        self.limited(outbox, history, Some(link), mail, now, rng).await
    }

    /// A word to the owner of an address that somebody tried to take, or to who left it and can come back.
    pub(crate) async fn already_registered(
        &self,
        outbox: &Outbox,
        address: Email,
        user_id: Id,
        history: Option<MailHistory>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Some(user) = self.store.get::<User>(&User::key_of(user_id)).await? else {
            return Ok(Attempt::Nothing);
        };
        let (civility, last_name) = (user.civility, user.last_name);
        let mail = Admitted::to_person(address, civility, last_name, Content::AlreadyRegistered);
        self.limited(outbox, history, None, mail, now, rng).await
    }

    pub(crate) async fn look_up(&self, address: &Email, purpose: Purpose) -> Result<Found, StoreError> {
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(address));
        let history = batch.want::<MailHistory>(MailHistory::key_of(address, purpose));
        let reservation = batch.want::<Reservation>(Reservation::key_of(address));
        let mut fetched = self.store.fetch(batch).await?;
        Ok(Found {
            login: fetched.take(&login)?,
            history: fetched.take(&history)?,
            reservation: fetched.take(&reservation)?,
        })
    }

    /// Whether the terms that came with a form were in force when it came: the sign-up answered
    /// `document-outdated` where they were not, and must not become an account then.
    async fn terms_were_in_force(&self, outbox: &Outbox, draft: &Draft) -> Result<bool, StoreError> {
        let version = draft.terms.version;
        let accepted = document_version(&self.store, DocumentKind::Terms, version).await?;
        let successor = document_version(&self.store, DocumentKind::Terms, version.saturating_add(1)).await?;
        // A version is in force from its publication until that of the next.
        let replaced = successor.is_some_and(|next| next.published_at <= outbox.requested_at);
        Ok(!replaced && accepted.is_some_and(|document| document.is(&draft.terms)))
    }

    /// A mail that somebody who is not signed in can cause: one a minute, three an hour for each address
    /// and purpose. Its link replaces the one before.
    async fn limited(
        &self,
        outbox: &Outbox,
        history: Option<MailHistory>,
        link: Option<Link>,
        mail: Admitted,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let purpose = match *mail.content {
            Content::PasswordReset(_) => Purpose::Reset,
            _ => Purpose::Activation,
        };
        if outbox.admitted {
            // An earlier attempt got this far. Its link is as good as new, unless it was used or replaced.
            let Some(link) = link else { return Ok(Attempt::Admitted(mail)) };
            return Ok(if self.renew(&link).await? { Attempt::Admitted(mail) } else { Attempt::Nothing });
        }
        let mut transaction = Transaction::new();
        let seen = history.as_ref().map(|history| history.admitted.clone());
        let before = history.unwrap_or_else(|| MailHistory {
            email: mail.address.clone(),
            purpose,
            admitted: Vec::new(),
            newest_link: None,
            ttl: 0,
        });
        let Some(admitted) = before.admit(outbox.requested_at) else { return Ok(Attempt::Nothing) };
        let newest_link = link.as_ref().map(|link| link.hash.clone());
        let after = MailHistory {
            admitted,
            newest_link: newest_link.or_else(|| before.newest_link.clone()),
            ttl: (now + HISTORY_KEPT).as_second(),
            ..before.clone()
        };
        let unchanged = match seen {
            Some(seen) => Condition::is("admitted", &seen)?,
            None => Condition::Absent,
        };
        transaction.put(&after, Some(unchanged))?;
        if let Some(link) = &link {
            transaction.create(link)?;
            if let Some(owner) = &link.owner {
                // It holds a copy of the owner's seal key, and none may come to be when they are erased.
                transaction.check(Login::key_of(&link.email), Condition::is("user_id", &owner.user_id)?);
            }
            if let Some(replaced) = &before.newest_link {
                transaction.delete(Link::key_of(replaced), None);
            }
        }
        let open = Condition::All(vec![Condition::is("admitted", &false)?, Condition::is("unsent", &Outbox::UNSENT)?]);
        transaction.update(outbox.key(), Change::new().set("admitted", &true)?, open);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }

    /// Makes a link that an earlier attempt wrote as good as new; `false` where it was used or replaced.
    pub(crate) async fn renew(&self, link: &Link) -> Result<bool, StoreError> {
        let renewed = Change::new().set("expires_at", &link.expires_at.as_millisecond())?.set("ttl", &link.ttl)?;
        self.store.update(&link.key(), &renewed, Some(&Condition::Exists)).await
    }

    /// Takes the wish out of the index that the sweep reads, and with it the person it names.
    pub(crate) async fn done_with(&self, outbox_id: Id, outcome: &str) -> Result<(), MailError> {
        let done = Change::new().remove("wish").remove("unsent").set("outcome", &outcome)?;
        self.store.update(&Outbox::key_of(outbox_id), &done, Some(&Condition::Exists)).await?;
        Ok(())
    }
}

fn dealing(outbox: &Outbox, what: Deed, other: Named, of: OfAccount) -> Content {
    Content::Dealing(Dealing { what, other, of, at: outbox.requested_at })
}

//! Which mail a wish becomes, if any: the address looked up, the limit kept, the link written down.
//!
//! All of it is one transaction on the wish, the address's history and the link, so that two that race
//! for one address admit one mail between them, and an attempt that comes back finds what it wrote.

use std::time::Duration;

use jiff::Timestamp;
use portal::domain::{Civility, DocumentKind, Email, Id, MemberNumber, PersonName, Siret};
use portal::security::LinkToken;
use portal::store::{
    Batch, Change, Condition, Draft, Link, Login, MailHistory, Outbox, Outcome, Owner, Purpose, Record, StoreError,
    Transaction, User, Wish, document_version,
};
use rand::CryptoRng;

use crate::mails::{Addressee, Mail, Rendered, render};
use crate::{Function, MailError};

/// How often a lost race is run again before the stream brings the wish back.
const MOST_ATTEMPTS: usize = 20;

/// How long a history is kept: as long as the newest link lives, and a day besides.
const HISTORY_KEPT: Duration = Duration::from_secs(48 * 3600);

/// A mail that may go out.
pub(crate) struct Admitted {
    /// To whom.
    pub(crate) address: Email,
    civility: Civility,
    last_name: PersonName,
    content: Content,
}

enum Content {
    Activation(LinkToken),
    AlreadyRegistered,
    PasswordReset(LinkToken),
    PasswordChanged { at: Timestamp },
    ClaimMade { member_number: MemberNumber, siret: Siret, establishment: String, at: Timestamp },
}

impl Admitted {
    pub(crate) fn render(&self, origin: &str) -> Result<Rendered, askama::Error> {
        let to = Addressee { civility: self.civility, last_name: &self.last_name };
        match &self.content {
            Content::Activation(token) => render(&Mail::Activation { to, origin, token: &token.to_text() }),
            Content::AlreadyRegistered => render(&Mail::AlreadyRegistered { to, origin }),
            Content::PasswordReset(token) => render(&Mail::PasswordReset { to, origin, token: &token.to_text() }),
            Content::PasswordChanged { at } => render(&Mail::PasswordChanged { to, origin, changed_at: *at }),
            Content::ClaimMade { member_number, siret, establishment, at } => {
                render(&Mail::ClaimMade { to, origin, member_number, establishment, siret, claimed_at: *at })
            }
        }
    }
}

/// How an attempt to admit ended.
enum Attempt {
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
                Ok(Attempt::Admitted(Admitted { address: email, civility, last_name, content }))
            }
            Wish::ClaimMade { email, civility, last_name, member_number, siret, establishment } => {
                let content = Content::ClaimMade { member_number, siret, establishment, at: outbox.requested_at };
                Ok(Attempt::Admitted(Admitted { address: email, civility, last_name, content }))
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
        let (login, history) = self.look_up(&address, Purpose::Activation).await?;
        if let Some(login) = login {
            let Some(user) = self.store.get::<User>(&User::key_of(login.user_id)).await? else {
                return Ok(Attempt::Nothing);
            };
            let (civility, last_name) = (user.civility, user.last_name);
            let mail = Admitted { address, civility, last_name, content: Content::AlreadyRegistered };
            return self.limited(outbox, history, None, mail, now, rng).await;
        }
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let link = Link {
            hash: token.hashed().as_str().to_owned(),
            purpose: Purpose::Activation,
            email: address.clone(),
            owner: None,
            draft: Some(draft.clone()),
            requested_at: outbox.requested_at,
            expires_at: now + Purpose::Activation.lifetime(),
            ttl: (now + Purpose::Activation.lifetime()).as_second(),
        };
        let (civility, last_name) = (draft.civility, draft.last_name);
        let mail = Admitted { address, civility, last_name, content: Content::Activation(token) };
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
        let (login, history) = self.look_up(&address, Purpose::Reset).await?;
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
            requested_at: outbox.requested_at,
            expires_at: now + Purpose::Reset.lifetime(),
            ttl: (now + Purpose::Reset.lifetime()).as_second(),
        };
        let (civility, last_name) = (user.civility, user.last_name);
        let mail = Admitted { address, civility, last_name, content: Content::PasswordReset(token) };
        self.limited(outbox, history, Some(link), mail, now, rng).await
    }

    async fn look_up(
        &self,
        address: &Email,
        purpose: Purpose,
    ) -> Result<(Option<Login>, Option<MailHistory>), StoreError> {
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(address));
        let history = batch.want::<MailHistory>(MailHistory::key_of(address, purpose));
        let mut fetched = self.store.fetch(batch).await?;
        Ok((fetched.take(&login)?, fetched.take(&history)?))
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
        let purpose = match mail.content {
            Content::PasswordReset(_) => Purpose::Reset,
            _ => Purpose::Activation,
        };
        if outbox.admitted {
            // An earlier attempt got this far. Its link is as good as new, unless it was used or replaced.
            let Some(link) = link else { return Ok(Attempt::Admitted(mail)) };
            let renewed = Change::new().set("expires_at", &link.expires_at.as_millisecond())?.set("ttl", &link.ttl)?;
            let usable = self.store.update(&link.key(), &renewed, Some(&Condition::Exists)).await?;
            return Ok(if usable { Attempt::Admitted(mail) } else { Attempt::Nothing });
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

    /// Takes the wish out of the index that the sweep reads, and with it the person it names.
    pub(crate) async fn done_with(&self, outbox_id: Id, outcome: &str) -> Result<(), MailError> {
        let done = Change::new().remove("wish").remove("unsent").set("outcome", &outcome)?;
        self.store.update(&Outbox::key_of(outbox_id), &done, Some(&Condition::Exists)).await?;
        Ok(())
    }
}

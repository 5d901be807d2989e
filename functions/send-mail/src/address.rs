//! The two mails of a change of address: the link that confirms it, the notice with the link that undoes it.
//!
//! What the mails tell stands in the user's item; a link is written in one transaction with its mark there,
//! under the condition that the user's changes are still those that were read. So no link comes to be of a
//! change that was replaced, undone or erased meanwhile.

use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::security::LinkToken;
use portal::store::{Change, EmailChange, Link, OfChange, Outbox, Outcome, Purpose, Record, Transaction, User};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::mails::SpaceOwner;
use crate::{Function, MailError};

impl Function {
    /// A link to the new address where it is free, a word to its owner where it is not.
    pub(crate) async fn email_change(
        &self,
        outbox: &Outbox,
        user_id: Id,
        change_id: Id,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Some(user) = self.store.get::<User>(&User::key_of(user_id)).await? else { return Ok(Attempt::Nothing) };
        let Some(change) = user.pending_email().filter(|change| change.change_id == change_id) else {
            return Ok(Attempt::Nothing);
        };
        let address = change.wanted.clone();
        let found = self.look_up(&address, Purpose::Activation).await?;
        if let Some(owner) = found.taken_by(now).filter(|owner| *owner != user_id) {
            return self.already_registered(outbox, address, owner, found.history, now, rng).await;
        }
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let link = link(&token, Purpose::EmailChange, &address, &user, change, now + Purpose::EmailChange.lifetime());
        let User { civility, first_name, last_name, siret, .. } = user.clone();
        let owner = SpaceOwner { civility, first_name, last_name, siret };
        let mail = admitted(&user, address, Content::EmailChange { token, owner });
        if change.confirming.is_some() {
            // An earlier attempt got this far.
            return Ok(if self.renew(&link).await? { Attempt::Admitted(mail) } else { Attempt::Nothing });
        }
        let marked = EmailChange { confirming: Some(link.hash.clone()), ..change.clone() };
        self.mark(&user, marked, &link, mail, rng).await
    }

    /// The notice to the address before, whatever became of the change.
    pub(crate) async fn email_change_notice(
        &self,
        outbox: &Outbox,
        user_id: Id,
        change_id: Id,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Some(user) = self.store.get::<User>(&User::key_of(user_id)).await? else { return Ok(Attempt::Nothing) };
        let Some((_, change)) = user.email_change(change_id).filter(|(_, change)| now < change.until()) else {
            return Ok(Attempt::Nothing);
        };
        let address = change.before.clone();
        let (asked_at, until) = (change.asked_at, change.until());
        let token = LinkToken::of(outbox.outbox_id, &self.link_key);
        let link = link(&token, Purpose::EmailUndo, &address, &user, change, until);
        let mail = admitted(&user, address, Content::EmailChangeNotice { token, asked_at, until });
        if change.undoing.is_some() {
            return Ok(Attempt::Admitted(mail));
        }
        let marked = EmailChange { undoing: Some(link.hash.clone()), ..change.clone() };
        self.mark(&user, marked, &link, mail, rng).await
    }

    /// Writes a link down, and its hash with the change that it is of.
    async fn mark(
        &self,
        user: &User,
        marked: EmailChange,
        link: &Link,
        mail: Admitted,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let with_mark = |change: &EmailChange| {
            if change.change_id == marked.change_id { marked.clone() } else { change.clone() }
        };
        let changes: Vec<_> = user.email_changes.iter().map(with_mark).collect();
        let mut transaction = Transaction::new();
        transaction.create(link)?;
        transaction.update(user.key(), Change::new().set("email_changes", &changes)?, user.same_address()?);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }
}

fn link(
    token: &LinkToken,
    purpose: Purpose,
    address: &Email,
    user: &User,
    change: &EmailChange,
    expires_at: Timestamp,
) -> Link {
    Link {
        hash: token.hashed().as_str().to_owned(),
        purpose,
        email: address.clone(),
        owner: None,
        draft: None,
        establishment: None,
        change: Some(OfChange { user_id: user.user_id, change_id: change.change_id }),
        requested_at: change.asked_at,
        expires_at,
        ttl: expires_at.as_second(),
    }
}

fn admitted(user: &User, address: Email, content: Content) -> Admitted {
    Admitted::to_person(address, user.civility, user.last_name.clone(), content)
}

//! Mails of colleagues: somebody asks for access, gets it or not, and the manager's role changes hands.

use jiff::Timestamp;
use portal::domain::{Email, Id, JobTitle, MemberNumber, Message, Siret};
use portal::store::{
    AccessRequest, Account, Change, Condition, Establishment, Named, Outbox, Outcome, Record, RequestMails,
    Transaction, User,
};
use rand::CryptoRng;

use crate::admit::{Admitted, Attempt, Content};
use crate::mails::{Addressee, Mail};
use crate::{Function, MailError};

/// An account as a mail names it.
pub(crate) struct OfAccount {
    pub(crate) member_number: MemberNumber,
    pub(crate) siret: Siret,
    pub(crate) establishment: String,
}

/// Who asks for access to an account.
pub(crate) struct Asking {
    user: Named,
    email: Email,
    job_title: JobTitle,
    message: Option<Message>,
    of: OfAccount,
}

/// What the other of two colleagues did, and which account it concerns.
pub(crate) struct Dealing {
    pub(crate) what: Deed,
    pub(crate) other: Named,
    pub(crate) of: OfAccount,
    pub(crate) at: Timestamp,
}

/// What happened.
pub(crate) enum Deed {
    /// The other, the manager, gave the access that was asked for.
    Approved,
    /// The reader gave the other the manager's role.
    HandedOver,
    /// The reader got it from the other.
    TakenOver,
}

impl Asking {
    pub(crate) fn told<'a>(&'a self, to: Addressee<'a>, origin: &'a str) -> Mail<'a> {
        Mail::AccessRequest {
            to,
            origin,
            asker: &self.user,
            email: &self.email,
            job_title: &self.job_title,
            message: self.message.as_ref(),
            member_number: &self.of.member_number,
            establishment: &self.of.establishment,
            siret: &self.of.siret,
        }
    }
}

impl Dealing {
    pub(crate) fn told<'a>(&'a self, to: Addressee<'a>, origin: &'a str) -> Mail<'a> {
        let Self { what, other, of: OfAccount { member_number, siret, establishment }, at } = self;
        let at = *at;
        match what {
            Deed::Approved => Mail::AccessApproved { to, origin, manager: other, member_number, establishment, siret },
            Deed::HandedOver => Mail::RoleHandedOver { to, origin, other, member_number, establishment, siret, at },
            Deed::TakenOver => Mail::RoleTakenOver { to, origin, other, member_number, establishment, siret, at },
        }
    }
}

impl Function {
    /// Word to whoever is the manager by now that somebody asks for access, unless it was answered or taken back.
    /// At most five an hour and twenty a day for an account, however many ask.
    pub(crate) async fn access_requested(
        &self,
        outbox: &Outbox,
        user_id: Id,
        number: MemberNumber,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, MailError> {
        let Some((manager, asking)) = self.asking(user_id, &number).await? else { return Ok(Attempt::Nothing) };
        let content = Content::AccessRequest(asking);
        let mail = Admitted::to_person(manager.email, manager.civility, manager.last_name, content);
        if outbox.admitted {
            return Ok(Attempt::Admitted(mail));
        }
        let seen: Option<RequestMails> = self.store.get(&RequestMails::key_of(&number)).await?;
        let more = RequestMails::with_one_more(seen.as_ref(), &number, outbox.requested_at, now);
        let Some(more) = more else { return Ok(Attempt::Nothing) };
        let mut transaction = Transaction::new();
        transaction.put(&more, Some(RequestMails::same(seen.as_ref())?))?;
        let open = Condition::All(vec![Condition::is("admitted", &false)?, Condition::is("unsent", &Outbox::UNSENT)?]);
        transaction.update(outbox.key(), Change::new().set("admitted", &true)?, open);
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Attempt::Admitted(mail),
            Outcome::Refused(_) => Attempt::RaceLost,
        })
    }

    /// The manager, and what they are told of who asks; `None` where nobody asks any more, or nobody manages.
    async fn asking(&self, user_id: Id, number: &MemberNumber) -> Result<Option<(User, Asking)>, MailError> {
        let request = self.store.get::<AccessRequest>(&AccessRequest::key_of(user_id, number)).await?;
        let Some(request) = request else { return Ok(None) };
        let Some(asker) = self.store.get::<User>(&User::key_of(user_id)).await? else { return Ok(None) };
        let Some(account) = self.store.get::<Account>(&Account::key_of(number)).await? else { return Ok(None) };
        let seat = self.store.get::<Establishment>(&Establishment::key_of(&account.siret)).await?;
        let seat = seat.filter(|seat| seat.member_number == *number);
        let Some(manager) = seat.and_then(|seat| seat.manager) else { return Ok(None) };
        let Some(manager) = self.store.get::<User>(&User::key_of(manager.user_id)).await? else { return Ok(None) };
        let asking = Asking {
            user: Named { civility: asker.civility, last_name: asker.last_name },
            email: asker.email,
            job_title: asker.job_title,
            message: request.message,
            of: OfAccount { member_number: account.member_number, siret: account.siret, establishment: account.name },
        };
        Ok(Some((manager, asking)))
    }
}

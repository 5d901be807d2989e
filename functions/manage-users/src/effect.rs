//! What giving access comes to for one address, and what is written for it.

use portal::domain::{Email, Id};
use portal::http::Call;
use portal::store::{
    AccessRequest, Account, AccountUsers, AuditEvent, EventKind, Grant, GrantMirror, Invitation, InvitationMirror,
    Named, Outbox, Step, StoreError, Transaction, User, Wish, Witness, told_after,
};
use rand::CryptoRng;

use crate::people::People;

/// What it comes to.
pub(crate) enum Effect {
    /// The address gets access.
    Invited,
    /// It was given access and its owner has not opened the account: they are told again, and have their time anew.
    Renewed(Invitation),
    /// Its owner asked for access, and has it now.
    Approved(Box<Approved>),
    /// It is a user's already, or somebody else changed something about it at this moment.
    Nothing,
}

/// A request that is granted.
pub(crate) struct Approved {
    request: AccessRequest,
    user: User,
    /// To their address, from the moment at which they asked.
    invitation: Option<Invitation>,
}

/// Who gives access, to what, with which request.
pub(crate) struct Giver<'a> {
    pub(crate) manager: &'a User,
    pub(crate) account: &'a Account,
    pub(crate) call: &'a Call,
}

impl Effect {
    pub(crate) fn of(email: &Email, people: &People, users: &AccountUsers) -> Self {
        if people.granted.iter().any(|(_, user)| user.email == *email) {
            return Self::Nothing;
        }
        let invitation = users.invitations.iter().find(|invitation| invitation.email == *email).cloned();
        match people.asking.iter().find(|(_, user)| user.email == *email).cloned() {
            Some((request, user)) => Self::Approved(Box::new(Approved { request, user, invitation })),
            None => invitation.map_or(Self::Invited, Self::Renewed),
        }
    }

    /// Whether somebody has access by it who is on no list of the account's yet.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            Self::Invited => true,
            Self::Approved(approved) => approved.invitation.is_none(),
            Self::Renewed(_) | Self::Nothing => false,
        }
    }

    /// Writes access, mail and evidence; the steps are those that fail where somebody came between.
    pub(crate) fn write(
        &self,
        email: &Email,
        giver: &Giver<'_>,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, StoreError> {
        match self {
            Self::Invited => giver.invite(email, transaction, rng),
            Self::Renewed(invitation) => giver.renew(invitation, transaction, rng),
            Self::Approved(approved) => giver.approve(approved, transaction, rng),
            Self::Nothing => Ok(Vec::new()),
        }
    }
}

impl Giver<'_> {
    fn invite(
        &self,
        email: &Email,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, StoreError> {
        let invitation = Invitation::new(email, self.account, self.call.now, rng);
        let event = self.granted(invitation.invitation_id, self.call.now, rng)?.with_detail("invitation");
        transaction.create(&event)?;
        let place = transaction.create(&invitation)?;
        transaction.put(&InvitationMirror(invitation), None)?;
        self.mail(self.invitation_mail(email), transaction, rng)?;
        Ok(vec![place])
    }

    /// An invitation that has ended gives access anew, which is evidence; of one that has not, its owner is reminded.
    fn renew(
        &self,
        invitation: &Invitation,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, StoreError> {
        if !invitation.is_open(self.call.now) {
            let at = told_after(invitation.since, self.call.now);
            let event = self.granted(invitation.invitation_id, at, rng)?.with_detail("invitation renewed");
            transaction.create(&event)?;
        }
        let same = invitation.renew(transaction, self.call.now)?;
        self.mail(self.invitation_mail(&invitation.email), transaction, rng)?;
        Ok(vec![same])
    }

    /// Who asked is there, and of the establishment, as long as both items of the request are.
    fn approve(
        &self,
        approved: &Approved,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, StoreError> {
        let Approved { request, user, invitation } = approved;
        let account = self.account;
        let since = request.answered_at(self.call.now);
        let since = invitation.as_ref().map_or(since, |invitation| since.max(invitation.since));
        // By whichever id the manager's list named them: ended or not.
        let invitation_id = invitation.as_ref().map(|invitation| invitation.invitation_id);
        let grant = Grant::of_reader(user.user_id, account, since, invitation_id);
        let mut steps = request.delete(transaction)?.to_vec();
        let mut detail = "request".to_owned();
        if let Some(invitation) = invitation {
            steps.push(invitation.delete(transaction)?);
            detail = format!("opened invitation {}", invitation.invitation_id);
        }
        transaction.create(&self.granted(user.user_id, grant.since, rng)?.with_detail(detail))?;
        steps.push(transaction.create(&grant)?);
        transaction.put(&GrantMirror(grant), None)?;
        let wish = Wish::AccessApproved {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            manager: Named { civility: self.manager.civility, last_name: self.manager.last_name.clone() },
            member_number: account.member_number.clone(),
            siret: account.siret.clone(),
            establishment: account.name.clone(),
        };
        self.mail(wish, transaction, rng)?;
        Ok(steps)
    }

    fn granted(&self, subject: Id, at: jiff::Timestamp, rng: &mut impl CryptoRng) -> Result<AuditEvent, StoreError> {
        let witness = Witness::of_call(self.call, &self.manager.seal_key, rng)?;
        let event = AuditEvent::for_other(subject, self.manager.user_id, EventKind::AccessGranted, at, witness);
        Ok(event.about(&self.account.member_number))
    }

    fn invitation_mail(&self, email: &Email) -> Wish {
        Wish::Invitation {
            email: email.clone(),
            civility: self.manager.civility,
            last_name: self.manager.last_name.clone(),
            member_number: self.account.member_number.clone(),
            siret: self.account.siret.clone(),
            establishment: self.account.name.clone(),
        }
    }

    fn mail(&self, wish: Wish, transaction: &mut Transaction, rng: &mut impl CryptoRng) -> Result<(), StoreError> {
        transaction.create(&Outbox::new(Id::random(rng), wish, self.call.now)).map(drop)
    }
}

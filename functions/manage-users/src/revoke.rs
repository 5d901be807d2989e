//! `DELETE /api/accounts/{number}/users/{id}`: access ends, by the manager or by oneself.
//!
//! Every read of the account reads the grant and the invitation beside its data, strongly consistent, so none
//! that is sent after the answer succeeds.

use std::time::Duration;

use futures::future::join;
use portal::domain::{Id, MemberNumber};
use portal::http::{Answer, Call, Problem};
use portal::security::AccountDoor;
use portal::store::{
    AccountUsers, AddressHash, AuditEvent, Condition, EventKind, Grant, GrantMirror, Invitation, Outcome, Record as _,
    Role, Transaction, User, Witness,
};
use rand::CryptoRng;

use crate::{Function, MOST_ATTEMPTS};

/// What follows an act is told after it, even within its millisecond.
const A_MOMENT: Duration = Duration::from_millis(1);

/// What one person has on an account.
struct Access<'a> {
    grant: Option<&'a Grant>,
    /// Who holds the grant, unless they were erased meanwhile.
    user: Option<&'a User>,
    /// In their place before they opened it. Beside a grant only where it came while they did.
    invitation: Option<&'a Invitation>,
}

impl Function {
    pub(crate) async fn revoke(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let guest = visit.admit(&self.store, &mut fetched?, call.now).await?;
        let id = Id::parse(call.path("id"));
        if id == Some(guest.caller.user.user_id) {
            return self.leave(&guest.caller.user, &visit.number, users?, call, rng).await;
        }
        let door = guest.as_manager()?;
        self.take_back(&door, id.ok_or(Problem::NotFound)?, users?, call, rng).await
    }

    /// The manager ends somebody's access. The id is a user's, or an invitation's, opened meanwhile or not:
    /// whoever took back what they saw in the list shall not find that it had another name by then.
    async fn take_back(
        &self,
        door: &AccountDoor,
        id: Id,
        mut users: AccountUsers,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let actor = &door.caller.user;
        for _ in 0..MOST_ATTEMPTS {
            let is_meant =
                |grant: &&Grant| grant.role == Role::Reader && (grant.user_id == id || grant.invitation_id == Some(id));
            let grant = users.grants.iter().find(is_meant);
            let person = self.people(grant.map(std::slice::from_ref).unwrap_or_default(), actor).await?;
            let user = person.into_iter().next().map(|(_, user)| user);
            let is_theirs = |invitation: &&Invitation| match &user {
                Some(user) => invitation.email == user.email,
                None => invitation.invitation_id == id,
            };
            let invitation = users.invitations.iter().find(is_theirs);
            let mut transaction = Transaction::new();
            let manager = transaction.check(door.grant.key(), Condition::is("role", &Role::Manager)?);
            end(&Access { grant, user: user.as_ref(), invitation }, actor, &mut transaction, call, rng)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Answer::no_content()),
                Outcome::Refused(refused) if refused.failed(manager) => return Err(Problem::ManagerOnly),
                // They left, opened the account or were invited meanwhile.
                Outcome::Refused(_) => users = AccountUsers::of(&self.store, &door.account.member_number).await?,
            }
        }
        Err(Problem::TryAgain { context: "the access changes all the time".to_owned() })
    }

    /// A reader ends their own access. A manager hands over first.
    async fn leave(
        &self,
        user: &User,
        number: &MemberNumber,
        mut users: AccountUsers,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        for _ in 0..MOST_ATTEMPTS {
            let grant = users.grants.iter().find(|grant| grant.user_id == user.user_id);
            if grant.is_some_and(|grant| grant.role == Role::Manager) {
                return Err(Problem::ManagerMustHandOver);
            }
            let invitation = users.invitations.iter().find(|invitation| invitation.email == user.email);
            let mut transaction = Transaction::new();
            end(&Access { grant, user: Some(user), invitation }, user, &mut transaction, call, rng)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Answer::no_content()),
                Outcome::Refused(_) => users = AccountUsers::of(&self.store, number).await?,
            }
        }
        Err(Problem::TryAgain { context: "the access changes all the time".to_owned() })
    }
}

/// Ends what somebody has, with an event for each part of it.
fn end(
    access: &Access<'_>,
    actor: &User,
    transaction: &mut Transaction,
    call: &Call,
    rng: &mut impl CryptoRng,
) -> Result<(), Problem> {
    let mut ended = Vec::new();
    if let Some(grant) = access.grant {
        transaction.delete(grant.key(), Some(Condition::is("role", &Role::Reader)?));
        transaction.delete(GrantMirror(grant.clone()).key(), None);
        ended.push((grant.user_id, grant.since, &grant.member_number));
        if let Some(user) = access.user {
            // No invitation to their address stays behind, with which the next read would open the account.
            transaction.check(user.key(), Condition::is("email", &user.email)?);
            if access.invitation.is_none() {
                let place = Invitation::key_of(&grant.member_number, &AddressHash::of(&user.email));
                transaction.check(place, Condition::Absent);
            }
        }
    }
    if let Some(invitation) = access.invitation {
        invitation.delete(transaction)?;
        ended.push((invitation.invitation_id, invitation.since, &invitation.member_number));
    }
    if ended.is_empty() {
        return Err(Problem::NotFound);
    }
    for (subject, since, number) in ended {
        let witness = Witness::of_call(call, &actor.seal_key, rng)?;
        let at = call.now.max(since + A_MOMENT);
        let event = AuditEvent::for_other(subject, actor.user_id, EventKind::AccessRevoked, at, witness, rng);
        transaction.create(&event.about(number))?;
    }
    Ok(())
}

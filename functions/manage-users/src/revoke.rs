//! `DELETE /api/accounts/{number}/users/{id}`: access ends, by the manager or by oneself; or it was asked for, and
//! the manager refuses.
//!
//! Every read of the account reads the grant and the invitation beside its data, strongly consistent, so none
//! that is sent after the answer succeeds.

use futures::future::join;
use jiff::Timestamp;
use portal::domain::{Id, MemberNumber};
use portal::http::{Answer, Call, Problem};
use portal::security::AccountDoor;
use portal::store::{
    AccessRequest, Account, AccountUsers, AddressHash, AuditEvent, Batch, Condition, Establishment, EventKind, Grant,
    GrantMirror, Invitation, Outbox, Outcome, Record as _, Role, StoreError, Transaction, User, Wish, Witness,
    told_after,
};
use rand::CryptoRng;

use crate::{Function, MOST_ATTEMPTS, may_take_back};

/// What one person has on an account, or asks for.
struct Access<'a> {
    grant: Option<&'a Grant>,
    /// Who holds the grant or asks for one, unless they were erased meanwhile.
    user: Option<&'a User>,
    /// In their place before they opened it. Beside a grant only where it came while they did.
    invitation: Option<&'a Invitation>,
    /// That they ask for access. Beside a grant or an invitation only where these came while they did.
    request: Option<&'a AccessRequest>,
}

impl Access<'_> {
    /// When the oldest of what gives access was given; none where there is but a request for it.
    fn given_at(&self) -> Option<Timestamp> {
        let invited = self.invitation.map(|invitation| invitation.since);
        self.grant.map(Grant::given_at).into_iter().chain(invited).min()
    }
}

impl Function {
    pub(crate) async fn revoke(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let guest = visit.admit(&self.store, &mut fetched?, call.now).await?;
        let id = Id::parse(call.path("id"));
        if id == Some(guest.caller.user.user_id) {
            call.refuse_unread_query()?;
            return self.leave(&guest.caller.user, &visit.number, users?, call, rng).await;
        }
        let door = guest.as_manager()?;
        let id = id.ok_or(Problem::NotFound)?;
        call.refuse_unread_query()?;
        self.take_back(&door, id, users?, call, rng).await
    }

    /// The manager ends somebody's access, or refuses it. The id is a user's, or an invitation's, opened meanwhile
    /// or not: whoever took back what they saw in the list shall not find that it had another name by then.
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
            let whose = grant.map_or(id, |grant| grant.user_id);
            let request = users.requests.iter().find(|request| request.user_id == whose);
            let user = if grant.is_some() || request.is_some() { self.user(whose).await? } else { None };
            let is_theirs = |invitation: &&Invitation| match &user {
                Some(user) => invitation.email == user.email,
                None => invitation.invitation_id == id,
            };
            let invitation = users.invitations.iter().find(is_theirs);
            let mut transaction = Transaction::new();
            let manager = transaction.check(door.grant.key(), Condition::is("role", &Role::Manager)?);
            let access = Access { grant, user: user.as_ref(), invitation, request };
            let given_at = access.given_at();
            end(&access, actor, &mut transaction, call, rng)?;
            let given_at = given_at.map(|given_at| may_take_back(&door.account, given_at, call.now)).transpose()?;
            let place = Establishment::key_of(&door.account.siret);
            let seat = given_at.map(|may_take_back| transaction.check(place, may_take_back));
            if let (Some(user), None, None, Some(request)) = (&user, grant, invitation, request) {
                let wish = refusal(user, request, &door.account);
                transaction.create(&Outbox::new(Id::random(rng), wish, call.now))?;
            }
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Answer::no_content()),
                Outcome::Refused(refused) if refused.failed(manager) => return Err(Problem::ManagerOnly),
                Outcome::Refused(refused) if seat.is_some_and(|seat| refused.failed(seat)) => {
                    return Err(Problem::ClaimContested);
                }
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
            let request = users.requests.iter().find(|request| request.user_id == user.user_id);
            end(&Access { grant, user: Some(user), invitation, request }, user, &mut transaction, call, rng)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Answer::no_content()),
                Outcome::Refused(_) => users = AccountUsers::of(&self.store, number).await?,
            }
        }
        Err(Problem::TryAgain { context: "the access changes all the time".to_owned() })
    }

    async fn user(&self, user_id: Id) -> Result<Option<User>, StoreError> {
        let mut batch = Batch::new();
        let wanted = batch.want::<User>(User::key_of(user_id));
        self.store.fetch(batch).await?.take(&wanted)
    }
}

/// Word to who asked, which says no more of the account than that it is their establishment's.
fn refusal(user: &User, request: &AccessRequest, account: &Account) -> Wish {
    Wish::AccessRefused {
        email: user.email.clone(),
        civility: user.civility,
        last_name: user.last_name.clone(),
        siret: request.siret.clone(),
        establishment: account.name.clone(),
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
        ended.push((grant.user_id, EventKind::AccessRevoked, grant.since, &grant.member_number));
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
        let (subject, since) = (invitation.invitation_id, invitation.since);
        ended.push((subject, EventKind::AccessRevoked, since, &invitation.member_number));
    }
    if let Some(request) = access.request {
        request.delete(transaction)?;
        if access.grant.is_none() {
            ended.push((request.user_id, EventKind::AccessRefused, request.since, &request.member_number));
        }
    }
    if ended.is_empty() {
        return Err(Problem::NotFound);
    }
    for (subject, kind, since, number) in ended {
        let witness = Witness::of_call(call, &actor.seal_key, rng)?;
        let at = told_after(since, call.now);
        let event = AuditEvent::for_other(subject, actor.user_id, kind, at, witness);
        transaction.create(&event.about(number))?;
    }
    Ok(())
}

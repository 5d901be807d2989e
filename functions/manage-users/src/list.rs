//! `GET /api/accounts/{number}/users`.

use futures::future::join;
use jiff::Timestamp;
use portal::domain::{Civility, Id, Message, PersonName};
use portal::http::{Answer, Call, Problem};
use portal::store::{AccessRequest, AccountUsers, Grant, Invitation, Role, User};
use serde::Serialize;

use crate::Function;
use crate::people::People;

#[derive(Serialize)]
struct ListBody {
    users: Vec<UserBody>,
}

#[derive(Serialize)]
struct UserBody {
    id: Id,
    email: String,
    #[serde(flatten)]
    name: Option<NameBody>,
    role: Role,
    status: Status,
    since: Timestamp,
    /// When an invitation ends, or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
struct NameBody {
    civility: Civility,
    last_name: PersonName,
    first_name: PersonName,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Invited,
    Expired,
    Requested,
}

impl Function {
    /// Two waits: whose names to show is known only when the grants are. A copy of the names would save one
    /// and could be out of date.
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let door = visit.enter_as_manager(&self.store, &mut fetched?, call.now).await?;
        let users = users?;
        let People { granted, mut asking } = self.people(&users, &door.caller.user).await?;
        let mut invitations = users.invitations;
        // Somebody may have been invited again at the moment at which they opened the account, or asked for it
        // at the moment at which they were invited. Whoever asks after their invitation has ended is shown as asking.
        invitations.retain(|invitation| !granted.iter().any(|(_, user)| user.email == invitation.email));
        let asks = |invitation: &Invitation| asking.iter().any(|(_, user)| user.email == invitation.email);
        invitations.retain(|invitation| invitation.is_open(call.now) || !asks(invitation));
        asking.retain(|(_, user)| !invitations.iter().any(|invitation| invitation.email == user.email));
        let invitations = invitations.into_iter().map(|invitation| invited(invitation, call.now));
        let users = granted.into_iter().map(active).chain(invitations);
        let mut users: Vec<UserBody> = users.chain(asking.into_iter().map(requested)).collect();
        users.sort_by_key(|user| (user.since, user.id));
        Answer::ok(&ListBody { users })
    }
}

fn active((grant, user): (Grant, User)) -> UserBody {
    UserBody { role: grant.role, ..named(user, Status::Active, grant.since) }
}

/// Only the address, whoever it belongs to.
fn invited(invitation: Invitation, now: Timestamp) -> UserBody {
    UserBody {
        status: if invitation.is_open(now) { Status::Invited } else { Status::Expired },
        expires_at: Some(invitation.expires_at),
        id: invitation.invitation_id,
        email: invitation.email.display(),
        name: None,
        role: Role::Reader,
        since: invitation.since,
        message: None,
    }
}

/// Whoever asks shows themselves.
fn requested((request, user): (AccessRequest, User)) -> UserBody {
    UserBody { message: request.message, ..named(user, Status::Requested, request.since) }
}

fn named(user: User, status: Status, since: Timestamp) -> UserBody {
    let User { civility, last_name, first_name, .. } = user;
    UserBody {
        id: user.user_id,
        email: user.email.display(),
        name: Some(NameBody { civility, last_name, first_name }),
        role: Role::Reader,
        status,
        since,
        expires_at: None,
        message: None,
    }
}

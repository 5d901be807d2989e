//! `GET /api/accounts/{number}/users`.

use futures::future::join;
use jiff::Timestamp;
use portal::domain::{Civility, Email, Id, PersonName};
use portal::http::{Answer, Call, Problem};
use portal::store::{AccountUsers, Grant, Invitation, Role, User};
use serde::Serialize;

use crate::Function;

#[derive(Serialize)]
struct ListBody {
    users: Vec<UserBody>,
}

#[derive(Serialize)]
struct UserBody {
    id: Id,
    email: Email,
    #[serde(flatten)]
    name: Option<NameBody>,
    role: Role,
    status: Status,
    since: Timestamp,
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
}

impl Function {
    /// Two waits: whose names to show is known only when the grants are. A copy of the names would save one
    /// and could be out of date.
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let door = visit.enter_as_manager(&self.store, &mut fetched?, call.now).await?;
        let AccountUsers { grants, invitations } = users?;
        let people = self.people(&grants, &door.caller.user).await?;
        // Somebody may have been invited again at the moment at which they opened the account.
        let is_user = |invitation: &Invitation| people.iter().any(|(_, user)| user.email == invitation.email);
        let unopened: Vec<_> = invitations.into_iter().filter(|invitation| !is_user(invitation)).collect();
        let users = people.into_iter().map(active).chain(unopened.into_iter().map(invited));
        let mut users: Vec<UserBody> = users.collect();
        users.sort_by_key(|user| (user.since, user.id));
        Answer::ok(&ListBody { users })
    }
}

fn active((grant, user): (Grant, User)) -> UserBody {
    let User { civility, last_name, first_name, .. } = user;
    UserBody {
        id: user.user_id,
        email: user.email,
        name: Some(NameBody { civility, last_name, first_name }),
        role: grant.role,
        status: Status::Active,
        since: grant.since,
    }
}

/// Only the address, whoever it belongs to.
fn invited(invitation: Invitation) -> UserBody {
    UserBody {
        id: invitation.invitation_id,
        email: invitation.email,
        name: None,
        role: Role::Reader,
        status: Status::Invited,
        since: invitation.since,
    }
}

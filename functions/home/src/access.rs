//! What a user has access to, manages and is asked for: what the menu of the space is made of.

use futures::future::{join_all, try_join};
use jiff::Timestamp;
use portal::domain::MemberNumber;
use portal::store::{
    AccessRequest, AddressHash, Grant, Invitation, InvitationMirror, Rights, Role, Store, StoreError, User,
};
use serde::Serialize;

/// How many managed accounts have their requests counted: more than anybody manages.
const MOST_MANAGED: usize = 10;

/// What a user has access to.
pub(crate) struct Access {
    /// What they are granted.
    granted: Vec<Grant>,
    /// What they are invited to and have not opened.
    invited: Vec<Invitation>,
    pub(crate) managed: Vec<ManagedAccount>,
}

/// An account that the user manages.
#[derive(Debug, Serialize)]
pub(crate) struct ManagedAccount {
    member_number: MemberNumber,
    name: String,
    pub(crate) active: bool,
    /// How many ask for access to it; not counted where its users are not the user's to see yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_requests: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AccessBody {
    granted: usize,
    invited: usize,
    active: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_account: Option<OnlyAccount>,
}

/// The account of a user who has access to no other.
#[derive(Debug, Serialize)]
struct OnlyAccount {
    member_number: MemberNumber,
    name: String,
    role: Role,
    active: bool,
    opened: bool,
}

impl Access {
    /// Reads what no token tells, beside each other: what the address is invited to, and who asks for the accounts that
    /// the user manages; that only where they have accepted the charter.
    pub(crate) async fn read(
        store: &Store,
        user: &User,
        rights: &Rights,
        owes_charter: bool,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let managed = rights.grants.iter().filter(|grant| grant.role == Role::Manager).take(MOST_MANAGED);
        let managed: Vec<&Grant> = managed.collect();
        let requests = async {
            let count = async |grant: &&Grant| {
                let requests = AccessRequest::all_for(&grant.member_number);
                store.query_all::<AccessRequest>(&requests).await.map(|requests| requests.len())
            };
            let counted = if owes_charter { &[] } else { managed.as_slice() };
            join_all(counted.iter().map(count)).await.into_iter().collect::<Result<Vec<usize>, _>>()
        };
        let invited = Invitation::all_of(&AddressHash::of(&user.email));
        let invited = store.query_all::<InvitationMirror>(&invited);
        let (requests, invited) = try_join(requests, invited).await?;
        let is_granted = |number: &MemberNumber| rights.grants.iter().any(|grant| grant.member_number == *number);
        let open = |invitation: &Invitation| {
            invitation.email == user.email && invitation.is_open(now) && !is_granted(&invitation.member_number)
        };
        let managed = managed.into_iter().enumerate().map(|(place, grant)| ManagedAccount {
            member_number: grant.member_number.clone(),
            name: grant.name.clone(),
            active: grant.active,
            access_requests: requests.get(place).copied(),
        });
        Ok(Self {
            granted: rights.grants.clone(),
            invited: invited.into_iter().map(|InvitationMirror(invitation)| invitation).filter(open).collect(),
            managed: managed.collect(),
        })
    }

    /// Whether each account that the user has access to is activated.
    pub(crate) fn activated(&self) -> Vec<bool> {
        let granted = self.granted.iter().map(|grant| grant.active);
        granted.chain(self.invited.iter().map(|invitation| invitation.active)).collect()
    }

    /// What the menu needs of it.
    pub(crate) fn body(&self) -> AccessBody {
        let only_account = match (self.granted.as_slice(), self.invited.as_slice()) {
            ([grant], []) => Some(OnlyAccount {
                member_number: grant.member_number.clone(),
                name: grant.name.clone(),
                role: grant.role,
                active: grant.active,
                opened: true,
            }),
            ([], [invitation]) => Some(OnlyAccount {
                member_number: invitation.member_number.clone(),
                name: invitation.name.clone(),
                role: Role::Reader,
                active: invitation.active,
                opened: false,
            }),
            _ => None,
        };
        AccessBody {
            granted: self.granted.len(),
            invited: self.invited.len(),
            active: self.activated().into_iter().filter(|active| *active).count(),
            only_account,
        }
    }
}

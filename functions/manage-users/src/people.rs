//! Who is behind grants and requests, as they are now.

use portal::store::{AccessRequest, AccountUsers, Batch, Grant, StoreError, User, Wanted};

use crate::Function;

/// The users of an account and those who ask to be; without those who were erased meanwhile.
pub(crate) struct People {
    /// Who opened it.
    pub(crate) granted: Vec<(Grant, User)>,
    /// Who asks for access, is still of the establishment, and has no access.
    pub(crate) asking: Vec<(AccessRequest, User)>,
}

impl Function {
    /// Reads them, in one call for a hundred. Nothing is read where the caller is the only one.
    pub(crate) async fn people(&self, users: &AccountUsers, caller: &User) -> Result<People, StoreError> {
        let mut batch = Batch::new();
        let (own, others): (Vec<_>, Vec<_>) = users.grants.iter().partition(|grant| grant.user_id == caller.user_id);
        let others: Vec<(&Grant, Wanted<User>)> =
            others.into_iter().map(|grant| (grant, batch.want(User::key_of(grant.user_id)))).collect();
        let has_access = |request: &&AccessRequest| users.grants.iter().any(|grant| grant.user_id == request.user_id);
        let asking: Vec<(&AccessRequest, Wanted<User>)> = users
            .requests
            .iter()
            .filter(|request| !has_access(request))
            .map(|request| (request, batch.want(User::key_of(request.user_id))))
            .collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut people = People { granted: Vec::new(), asking: Vec::new() };
        people.granted.extend(own.into_iter().map(|grant| (grant.clone(), caller.clone())));
        for (grant, wanted) in others {
            people.granted.extend(fetched.take(&wanted)?.map(|user| (grant.clone(), user)));
        }
        for (request, wanted) in asking {
            let user = fetched.take(&wanted)?.filter(|user: &User| user.siret == request.siret);
            people.asking.extend(user.map(|user| (request.clone(), user)));
        }
        Ok(people)
    }
}

//! `manage-users`: who may read a member account (leaflet S55). Its manager lists them, gives an address
//! access and takes it back; a reader leaves.
//!
//! Access is given to an address, whether it has a space or not: nothing is looked up under it, so neither
//! the answer nor its time tells. What the manager's list shows of an address is what the manager typed,
//! until its owner opens the account (`docs/decisions/0035-access-is-given-to-an-address.md`).

mod invite;
mod list;
mod revoke;

use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{Batch, Grant, Store, StoreError, Table, User, Wanted};

/// How often others may come between before a request gives up.
const MOST_ATTEMPTS: usize = 10;

/// The function `manage-users`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
}

impl HttpFunction for Function {
    const NAME: &'static str = "manage-users";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts/{number}/users" => self.list(call).await,
            "POST /api/accounts/{number}/users" => self.invite(call, &mut rng()).await,
            "DELETE /api/accounts/{number}/users/{id}" => self.revoke(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

impl Function {
    /// The users behind grants, as they are now; without those who were erased meanwhile. Nothing is read
    /// where the caller is the only one.
    async fn people(&self, grants: &[Grant], caller: &User) -> Result<Vec<(Grant, User)>, StoreError> {
        let mut batch = Batch::new();
        let others = grants.iter().filter(|grant| grant.user_id != caller.user_id);
        let wanted: Vec<(&Grant, Wanted<User>)> =
            others.map(|grant| (grant, batch.want(User::key_of(grant.user_id)))).collect();
        let own = grants.iter().filter(|grant| grant.user_id == caller.user_id);
        let mut people: Vec<(Grant, User)> = own.map(|grant| (grant.clone(), caller.clone())).collect();
        let mut fetched = self.store.fetch(batch).await?;
        for (grant, wanted) in wanted {
            if let Some(user) = fetched.take(&wanted)? {
                people.push((grant.clone(), user));
            }
        }
        Ok(people)
    }
}

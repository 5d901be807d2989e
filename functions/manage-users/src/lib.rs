//! `manage-users`: who may read a member account (leaflet S55). Its manager lists them, gives addresses access
//! and takes it back, answers those who ask for it, and hands the role over; a reader leaves.
//!
//! Access is given to an address, whether it has a space or not: nothing is looked up under it, so neither
//! the answer nor its time tells. What the manager's list shows of an address is what the manager typed,
//! until its owner opens the account (`docs/decisions/0035-access-is-given-to-an-address.md`).

mod effect;
mod hand_over;
mod invite;
mod list;
mod people;
mod revoke;

use jiff::Timestamp;
use portal::domain::Id;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{Account, Condition, Establishment, Store, StoreError, Table};

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
            "POST /api/accounts/{number}/manager" => self.hand_over(call, &mut rng()).await,
            "DELETE /api/accounts/{number}/users/{id}" => self.revoke(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

/// The account is the one that was read: what is written carries copies of it.
fn unchanged(account: &Account) -> Result<Condition, StoreError> {
    let same = vec![Condition::is("version", &account.version)?, Condition::is("active", &account.active)?];
    Ok(Condition::All(same))
}

/// The caller sits in the manager's seat of the account, and nothing freezes it.
fn seated(user_id: Id, account: &Account, now: Timestamp) -> Result<Vec<Condition>, StoreError> {
    Ok(vec![
        Condition::is("member_number", &account.member_number)?,
        Condition::is("manager.user_id", &user_id)?,
        Establishment::not_frozen(now)?,
    ])
}

/// Access that was given at `given_at` may be taken back: nothing freezes the account's seat, or it was given under the
/// claim that stands. A contested manager does not part from the account who was there before them.
fn may_take_back(account: &Account, given_at: Timestamp, now: Timestamp) -> Result<Condition, StoreError> {
    Ok(Condition::Any(vec![
        Establishment::not_frozen(now)?,
        Condition::below("manager.since", &(given_at.as_millisecond() + 1))?,
        // Another account has the SIRET by now.
        Condition::below("member_number", &account.member_number)?,
        Condition::above("member_number", &account.member_number)?,
    ]))
}

/// Why the caller may not do what the seat permits: it is contested, or it is not theirs any more.
fn out_of_the_seat(seat: Option<&Establishment>, user_id: Id, now: Timestamp) -> Problem {
    let sits = |seat: &&Establishment| seat.manager.as_ref().is_some_and(|manager| manager.user_id == user_id);
    match seat.filter(sits) {
        Some(seat) if seat.is_frozen(now) => Problem::ClaimContested,
        _ => Problem::ManagerOnly,
    }
}

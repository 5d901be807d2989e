//! Every day: warns who has not logged in for 23 months, and erases who has not for 24.
//!
//! It reads the index of what is due and nobody else, in pages; what is done with leaves the range that it reads, so
//! the next run goes on where one was cut off. Each step is written under the condition that nobody logged in since:
//! a log-in wins until the erasure has begun (`docs/decisions/0068-spaces-that-nobody-uses.md`).

use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::environment::{Environment, StartError, rng};
use portal::erasure::{Erasure, Leaver, Scene};
use portal::http::Problem;
use portal::invocation;
use portal::lambda::EventFunction;
use portal::security::PasswordHash;
use portal::store::{
    Batch, Change, Condition, EventKind, LastUse, Login, Outbox, Outcome, Record as _, Rights, Role, Stage, Store,
    StoreError, Table, Transaction, User, Wish,
};
use rand::CryptoRng;
use serde_json::{Value, json};

/// How many steps one run takes: an erasure is some twenty calls, and a run has fifteen minutes. The next day goes on.
const MOST: usize = 5_000;

/// The function `expire-users`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
    erasure: Erasure,
}

/// Why a run did not do all that was due.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    /// The store failed before anybody was looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Steps failed; the log has each. They are due still.
    #[error("{0} steps failed, and are due still")]
    Incomplete(usize),
}

/// What became of a user for whom something was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Warned,
    Erased,
    /// A manager whose colleagues would be left without one.
    Kept,
    /// They logged in meanwhile, or are gone.
    Nothing,
}

/// What one run did.
#[derive(Debug, Default)]
struct Count {
    warned: usize,
    erased: usize,
    kept: usize,
    failed: usize,
}

impl EventFunction for Function {
    const NAME: &'static str = "expire-users";
    type Event = Value;
    type Outcome = Value;
    type Error = ExpiryError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { environment: environment.clone(), erasure: Erasure::new(&store), store })
    }

    async fn handle(&self, event: Value) -> Result<Value, ExpiryError> {
        self.handle_until(event, None).await
    }

    async fn handle_until(&self, _event: Value, deadline: Option<Timestamp>) -> Result<Value, ExpiryError> {
        let now = self.environment.clock.now();
        // Half of what there is: an erasure under way is not to be cut off.
        let stop = deadline.map(|deadline| now + deadline.duration_since(now).unsigned_abs() / 2);
        let mut count = Count::default();
        // What a run before began goes first.
        for stage in [Stage::Leaving, Stage::Warned, Stage::Active] {
            self.run(stage, now, stop, &mut count).await?;
        }
        let Count { warned, erased, kept, failed } = count;
        let did = json!({"warned": warned, "erased": erased, "kept": kept, "failed": failed});
        invocation::tell("expired", did.clone());
        if failed > 0 { Err(ExpiryError::Incomplete(failed)) } else { Ok(did) }
    }
}

impl Function {
    async fn run(
        &self,
        stage: Stage,
        now: Timestamp,
        stop: Option<Timestamp>,
        count: &mut Count,
    ) -> Result<(), StoreError> {
        let mut query = LastUse::due(stage, now);
        loop {
            let page = self.store.query_items(&query).await?;
            for item in &page.items {
                let steps = count.warned + count.erased + count.kept + count.failed;
                if steps >= MOST || stop.is_some_and(|stop| self.environment.clock.now() >= stop) {
                    return Ok(());
                }
                let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
                let Some(email) = pk.and_then(|pk| Email::canonical(pk.strip_prefix("EMAIL#")?.to_owned())) else {
                    continue;
                };
                match self.step(&email, now, &mut rng()).await {
                    Ok(Became::Warned) => count.warned += 1,
                    Ok(Became::Erased) => count.erased += 1,
                    Ok(Became::Kept) => count.kept += 1,
                    Ok(Became::Nothing) => {}
                    // One that fails does not keep the others; it is due tomorrow still.
                    Err(problem) => {
                        count.failed += 1;
                        invocation::trouble(format!("{problem:?}"));
                    }
                }
            }
            if page.next.is_none() {
                return Ok(());
            }
            query = query.after(page.next);
        }
    }

    /// The step that is due for who signs in with an address. The index may be behind: the log-in has the last word.
    async fn step(&self, email: &Email, now: Timestamp, rng: &mut impl CryptoRng) -> Result<Became, Problem> {
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(email));
        let login = self.store.fetch(batch).await?.take(&login)?;
        let Some(login) = login.filter(|login| login.last_use.is_due(now)) else { return Ok(Became::Nothing) };
        let mut batch = Batch::new();
        let user = batch.want::<User>(User::key_of(login.user_id));
        let Some(user) = self.store.fetch(batch).await?.take(&user)? else { return Ok(Became::Nothing) };
        match login.last_use.expiry {
            Stage::Active => self.warn(&user, &login, now, rng).await,
            Stage::Warned => self.end(user, &login, now, rng).await,
            Stage::Leaving => self.erase(user, now, rng).await,
        }
    }

    async fn warn(
        &self,
        user: &User,
        login: &Login,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Became, Problem> {
        let warned = login.last_use.warned(now);
        let warning = Wish::InactivityWarning {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            ends_at: login.last_use.ends_at(now),
        };
        let mut transaction = Transaction::new();
        transaction.update(login.key(), warned.write(Change::new())?, same(login)?);
        transaction.create(&Outbox::new(Id::random(rng), warning, now))?;
        transaction.create(&Scene::of_inactivity(now).event(user, EventKind::InactivityWarned, rng)?)?;
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Became::Warned,
            Outcome::Refused(_) => Became::Nothing,
        })
    }

    /// Begins the erasure, from where on nobody logs in any more, and does it; keeps a manager who has colleagues.
    async fn end(
        &self,
        mut user: User,
        login: &Login,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Became, Problem> {
        let rights = Rights::of(&self.store, user.user_id).await?;
        match self.erasure.hold_managers_back(&user, &rights, now).await {
            Ok(()) => {}
            Err(Problem::ManagerMustHandOver) => return self.keep(&user, login, &rights, now, rng).await,
            Err(problem) => return Err(problem),
        }
        let begun = login.last_use.leaving().write(Change::new())?;
        let begun = begun.set("password_hash", &PasswordHash::of_no_password())?.add("epoch", 1);
        let mut transaction = Transaction::new();
        transaction.update(login.key(), begun, same(login)?);
        transaction.update(user.key(), Change::new().add("epoch", 1), user.same_address()?);
        if let Outcome::Refused(_) = self.store.commit(&transaction, rng).await? {
            return Ok(Became::Nothing);
        }
        user.epoch += 1;
        self.erase(user, now, rng).await
    }

    async fn erase(&self, user: User, now: Timestamp, rng: &mut impl CryptoRng) -> Result<Became, Problem> {
        self.erasure.run(Leaver { user, session: None }, &Scene::of_inactivity(now), rng).await?;
        Ok(Became::Erased)
    }

    /// The account is not left without a manager: the staff are told, now and every month, and release the role.
    async fn keep(
        &self,
        user: &User,
        login: &Login,
        rights: &Rights,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Became, Problem> {
        let managed = rights.grants.iter().find(|grant| grant.role == Role::Manager);
        let Some(managed) = managed else { return Ok(Became::Nothing) };
        let alert = Wish::ManagerInactive { user_id: user.user_id, member_number: managed.member_number.clone() };
        let mut transaction = Transaction::new();
        transaction.update(login.key(), login.last_use.postponed(now).write(Change::new())?, same(login)?);
        transaction.create(&Outbox::new(Id::random(rng), alert, now))?;
        Ok(match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Became::Kept,
            Outcome::Refused(_) => Became::Nothing,
        })
    }
}

/// Nobody logged in since, and it is the same user's.
fn same(login: &Login) -> Result<Condition, StoreError> {
    Ok(Condition::All(vec![
        Condition::is("user_id", &login.user_id)?,
        Condition::is("epoch", &login.epoch)?,
        login.last_use.unchanged()?,
    ]))
}

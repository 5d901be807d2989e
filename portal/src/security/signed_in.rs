//! Who is calling: from an access token to a user, in the same wait as what they came for.
//!
//! ```text
//! let ticket = gate.ticket(call).await?;            // the token; no store
//! let mut batch = Batch::new();
//! let keys = ticket.ask(&mut batch);                // user and session, beside whatever else
//! let mut fetched = store.fetch(batch).await?;
//! let caller = ticket.admit(&keys, &mut fetched, call.now)?;
//! ```

use jiff::Timestamp;

use super::{AccessTokens, Claims};
use crate::environment::{Environment, StartError};
use crate::http::{Call, Problem};
use crate::store::{Batch, Fetched, Record as _, Session, Store, User, Wanted};

/// Lets signed-in callers in.
#[derive(Clone)]
pub struct Gate {
    store: Store,
    tokens: AccessTokens,
}

/// A valid access token; whether its session still lives is not known yet.
pub struct Ticket {
    /// What it says.
    pub claims: Claims,
}

/// Where a batch will have what [`Ticket::admit`] needs.
pub struct TicketKeys {
    user: Wanted<User>,
    session: Wanted<Session>,
}

/// A signed-in user.
pub struct Caller {
    /// Who.
    pub user: User,
    /// Through which session.
    pub session: Session,
}

/// Another look at a user, after something of theirs was not what it was.
///
/// # Errors
/// `try-again` where they are of another epoch or address, and so not what was begun with; where the store fails.
pub async fn same_user(store: &Store, before: User) -> Result<User, Problem> {
    let mut batch = Batch::new();
    let wanted = batch.want::<User>(before.key());
    let now = store.fetch(batch).await?.take(&wanted)?;
    let same = |user: &User| user.epoch == before.epoch && user.email == before.email;
    now.filter(same).ok_or_else(|| Problem::TryAgain { context: "the user changed meanwhile".to_owned() })
}

impl Gate {
    /// A gate on the store's identity table.
    ///
    /// # Errors
    /// Where the environment lacks something.
    pub async fn start(environment: &Environment, store: &Store) -> Result<Self, StartError> {
        Ok(Self { store: store.clone(), tokens: AccessTokens::start(environment, store).await? })
    }

    /// The caller's access token.
    ///
    /// # Errors
    /// `authentication-required` without a valid one.
    pub async fn ticket(&self, call: &Call) -> Result<Ticket, Problem> {
        let token = call.bearer_token().ok_or(Problem::AuthenticationRequired)?;
        let claims = self.tokens.verify(token, &self.store, call.now).await?;
        let claims = claims.ok_or(Problem::AuthenticationRequired)?;
        call.note_caller(claims.sub);
        Ok(Ticket { claims })
    }

    /// Admits a caller when nothing else has to be read.
    ///
    /// # Errors
    /// `authentication-required`.
    pub async fn caller(&self, call: &Call) -> Result<Caller, Problem> {
        let ticket = self.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        ticket.admit(&keys, &mut self.store.fetch(batch).await?, call.now)
    }
}

impl Ticket {
    /// Asks a batch for the user and the session.
    pub fn ask(&self, batch: &mut Batch) -> TicketKeys {
        TicketKeys {
            user: batch.want(User::key_of(self.claims.sub)),
            session: batch.want(Session::key_of(self.claims.sub, self.claims.sid)),
        }
    }

    /// The caller, where user and session are there, alive and of the token's epoch.
    ///
    /// # Errors
    /// `authentication-required`.
    pub fn admit(&self, keys: &TicketKeys, fetched: &mut Fetched, now: Timestamp) -> Result<Caller, Problem> {
        let (Some(user), Some(session)) = (fetched.take(&keys.user)?, fetched.take(&keys.session)?) else {
            return Err(Problem::AuthenticationRequired);
        };
        let of_this_epoch = user.epoch == self.claims.epoch && session.epoch == self.claims.epoch;
        if !of_this_epoch || !session.is_alive(now) {
            return Err(Problem::AuthenticationRequired);
        }
        Ok(Caller { user, session })
    }
}

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

use super::{AccessTokens, Claims, FileAddress, FileLinks};
use crate::domain::Id;
use crate::environment::{Environment, StartError};
use crate::http::{Call, Problem};
use crate::store::{Batch, Fetched, Record as _, Session, Store, User, Wanted};

/// Lets signed-in callers in.
#[derive(Clone)]
pub struct Gate {
    store: Store,
    tokens: AccessTokens,
    /// Where a file's address may let its caller in too.
    links: Option<FileLinks>,
}

/// A valid access token; whether its session still lives is not known yet.
pub struct Ticket {
    /// What it says.
    pub claims: Claims,
}

/// The session that somebody calls with: what a valid access token or a valid link names. It may have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOf {
    /// Whose it is.
    pub user_id: Id,
    /// Which.
    pub session_id: Id,
    /// The user's epoch when the token or the link was made.
    pub epoch: u64,
}

/// Where a batch will have what [`SessionOf::admit`] needs.
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
        Ok(Self { store: store.clone(), tokens: AccessTokens::start(environment, store).await?, links: None })
    }

    /// The same for routes of files, which links open too.
    #[must_use]
    pub fn with_links(self, links: FileLinks) -> Self {
        Self { links: Some(links), ..self }
    }

    /// Where members find the portal.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.tokens.issuer()
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

    /// The session that somebody calls with: that of the link in the address, where links are good for anything here and
    /// there is one, else that of their access token.
    ///
    /// # Errors
    /// `authentication-required` without a valid one.
    pub(super) async fn session(&self, call: &Call) -> Result<SessionOf, Problem> {
        if let Some(links) = &self.links
            && let Some(link) = call.link()
        {
            let who = links.open(link, &FileAddress::of_call(call), call.now).ok_or(Problem::AuthenticationRequired)?;
            call.note_caller(who.user_id);
            return Ok(who);
        }
        Ok(self.ticket(call).await?.session())
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
    /// The session that it names.
    #[must_use]
    pub fn session(&self) -> SessionOf {
        let Claims { sub, sid, epoch, .. } = self.claims;
        SessionOf { user_id: sub, session_id: sid, epoch }
    }

    /// Asks a batch for the user and the session.
    pub fn ask(&self, batch: &mut Batch) -> TicketKeys {
        self.session().ask(batch)
    }

    /// The caller, as [`SessionOf::admit`] says.
    ///
    /// # Errors
    /// `authentication-required`.
    pub fn admit(&self, keys: &TicketKeys, fetched: &mut Fetched, now: Timestamp) -> Result<Caller, Problem> {
        self.session().admit(keys, fetched, now)
    }
}

impl SessionOf {
    /// Asks a batch for the user and the session.
    pub fn ask(&self, batch: &mut Batch) -> TicketKeys {
        TicketKeys {
            user: batch.want(User::key_of(self.user_id)),
            session: batch.want(Session::key_of(self.user_id, self.session_id)),
        }
    }

    /// The caller, where user and session are there, alive and of this epoch.
    ///
    /// # Errors
    /// `authentication-required`.
    pub fn admit(&self, keys: &TicketKeys, fetched: &mut Fetched, now: Timestamp) -> Result<Caller, Problem> {
        let (Some(user), Some(session)) = (fetched.take(&keys.user)?, fetched.take(&keys.session)?) else {
            return Err(Problem::AuthenticationRequired);
        };
        let of_this_epoch = user.epoch == self.epoch && session.epoch == self.epoch;
        if !of_this_epoch || !session.is_alive(now) {
            return Err(Problem::AuthenticationRequired);
        }
        Ok(Caller { user, session })
    }
}

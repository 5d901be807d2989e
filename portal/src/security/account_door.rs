//! From a call to a member account that the caller may open, in the same wait as what they came for.
//!
//! ```text
//! let (visit, mut batch) = gate.visit(call).await?;       // the token and the number; no store
//! let (fetched, data) = join(store.fetch(batch), …).await;
//! let door = visit.enter(&store, &mut fetched?, call, rng).await?.activated()?;
//! ```
//!
//! Whoever was invited opens their invitation by their first read: two waits more, that once, as an invitation is
//! found by the address, which the user's item alone knows. What only the manager may do begins with
//! `enter_as_manager`, which opens nothing.

use jiff::Timestamp;
use rand::CryptoRng;

use super::{Caller, Gate, SessionOf, TicketKeys};
use crate::domain::{DocumentKind, MemberNumber};
use crate::http::{Call, Problem};
use crate::store::{
    AccessRequest, Account, AddressHash, AuditEvent, Batch, Condition, CurrentDocument, EventKind, Fetched, Grant,
    GrantMirror, Invitation, Outcome, Record as _, Role, Store, StoreError, Transaction, User, Wanted, Witness,
    current_of,
};

/// How often an account may change while somebody opens their invitation to it.
const MOST_ATTEMPTS: usize = 10;

/// Somebody with a valid token or link asks for an account; whether they may is in the batch.
pub struct Visit {
    /// The session that they call with.
    pub session: SessionOf,
    /// The account that they name.
    pub number: MemberNumber,
    caller: TicketKeys,
    grant: Wanted<Grant>,
    account: Wanted<Account>,
    charter: Wanted<CurrentDocument>,
}

/// Somebody who may see a member account, and has accepted the charter.
pub struct Guest {
    /// The caller.
    pub caller: Caller,
    /// The account.
    pub account: Account,
    /// By what right.
    pub permit: Permit,
}

/// By what right somebody sees an account.
pub enum Permit {
    /// They opened it before.
    Granted(Grant),
    /// Their first read opens it.
    Invited(Invitation),
}

/// What a caller may do with a member account: they have a grant, and the charter is accepted.
pub struct AccountDoor {
    /// The caller.
    pub caller: Caller,
    /// Their grant.
    pub grant: Grant,
    /// The account.
    pub account: Account,
}

impl Gate {
    /// Reads the token or the link and the account's number (the path parameter `number`), and asks a batch for what
    /// decides.
    ///
    /// # Errors
    /// `authentication-required`, and `not-found` where the number is none.
    pub async fn visit(&self, call: &Call) -> Result<(Visit, Batch), Problem> {
        let session = self.session(call).await?;
        let text = call.path("number");
        // One spelling: what is no number is nobody's account.
        let number = MemberNumber::parse(text).ok().filter(|number| number.as_str() == text);
        let Some(number) = number else {
            // No such account, but a session that has ended comes first.
            self.caller(call).await?;
            return Err(Problem::NotFound);
        };
        let mut batch = Batch::new();
        let visit = Visit {
            caller: session.ask(&mut batch),
            grant: batch.want(Grant::key_of(session.user_id, &number)),
            account: batch.want(Account::key_of(&number)),
            charter: batch.want(CurrentDocument::key_of(DocumentKind::Charter)),
            session,
            number,
        };
        Ok((visit, batch))
    }
}

impl Visit {
    /// Lets the caller in, and opens their invitation where that is what lets them in; whether the account is
    /// activated is still to be asked.
    ///
    /// # Errors
    /// `authentication-required`, `not-found` without grant and invitation, `charter-required`, in this order.
    pub async fn enter(
        &self,
        store: &Store,
        fetched: &mut Fetched,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<AccountDoor, Problem> {
        self.admit(store, fetched, call.now).await?.open(store, call, rng).await
    }

    /// Lets only the manager in.
    ///
    /// # Errors
    /// As [`Visit::enter`], and then `manager-only`.
    pub async fn enter_as_manager(
        &self,
        store: &Store,
        fetched: &mut Fetched,
        now: Timestamp,
    ) -> Result<AccountDoor, Problem> {
        self.admit(store, fetched, now).await?.as_manager()
    }

    /// What a request is answered that makes no sense, by itself: that problem comes after who may ask.
    pub async fn refuse(&self, store: &Store, batch: Batch, problem: Problem, now: Timestamp) -> Problem {
        let admitted = match store.fetch(batch).await {
            Ok(mut fetched) => self.admit(store, &mut fetched, now).await,
            Err(error) => Err(error.into()),
        };
        admitted.err().unwrap_or(problem)
    }

    /// Whether the caller may see the account; opens nothing.
    ///
    /// # Errors
    /// As [`Visit::enter`].
    pub async fn admit(&self, store: &Store, fetched: &mut Fetched, now: Timestamp) -> Result<Guest, Problem> {
        let caller = self.session.admit(&self.caller, fetched, now)?;
        let permit = match fetched.take(&self.grant)? {
            Some(grant) => Permit::Granted(grant),
            None => permit_of(&caller.user, &self.number, store, now).await?.ok_or(Problem::NotFound)?,
        };
        let account = fetched.take(&self.account)?.ok_or(Problem::NotFound)?;
        let charter = current_of(DocumentKind::Charter, fetched.take(&self.charter)?);
        if caller.user.owes(&charter) {
            return Err(Problem::CharterRequired);
        }
        Ok(Guest { caller, account, permit })
    }
}

impl Guest {
    /// Only for the manager.
    ///
    /// # Errors
    /// `manager-only`.
    pub fn as_manager(self) -> Result<AccountDoor, Problem> {
        match self.permit {
            Permit::Granted(grant) if grant.role == Role::Manager => {
                Ok(AccountDoor { caller: self.caller, grant, account: self.account })
            }
            _ => Err(Problem::ManagerOnly),
        }
    }

    /// Opens their invitation, where they have not done so.
    ///
    /// The invitation becomes a grant in one transaction, under the condition that it is still there: one that
    /// was taken back opens nothing, and of two reads at once one opens and both go on.
    ///
    /// # Errors
    /// `invalid-input` for a query that nobody has read; `not-found` where the invitation was taken back meanwhile.
    pub async fn open(self, store: &Store, call: &Call, rng: &mut impl CryptoRng) -> Result<AccountDoor, Problem> {
        // A request that is refused opens nothing.
        if call.only_reads() {
            call.refuse_unread_query()?;
        }
        let Self { caller, mut account, permit } = self;
        let invitation = match permit {
            Permit::Granted(grant) => return Ok(AccountDoor { caller, grant, account }),
            Permit::Invited(invitation) => invitation,
        };
        let user = &caller.user;
        for _ in 0..MOST_ATTEMPTS {
            let grant = opened(&invitation, user, &account, call);
            let mut transaction = Transaction::new();
            // Of the same address, and not erased.
            let same = vec![Condition::is("epoch", &user.epoch)?, Condition::is("email", &user.email)?];
            let same_user = transaction.check(user.key(), Condition::All(same));
            // The grant carries copies of these.
            let same = vec![Condition::is("version", &account.version)?, Condition::is("active", &account.active)?];
            let same_account = transaction.check(account.key(), Condition::All(same));
            invitation.open(&mut transaction, call.now)?;
            AccessRequest::delete_any(user.user_id, &account.member_number, &mut transaction);
            transaction.create(&grant)?;
            transaction.put(&GrantMirror(grant.clone()), None)?;
            let witness = Witness::of_call(call, &user.seal_key, rng)?;
            let event = AuditEvent::by_user(user.user_id, EventKind::AccessGranted, grant.since, witness);
            let event = event.about(&invitation.member_number);
            transaction.create(&event.with_detail(format!("opened invitation {}", invitation.invitation_id)))?;
            let refused = match store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(AccountDoor { caller, grant, account }),
                Outcome::Refused(refused) => refused,
            };
            if refused.failed(same_user) {
                return Err(Problem::TryAgain { context: "the user changed while they opened an account".to_owned() });
            }
            match refused.existing::<Account>(same_account)?.filter(|_| refused.failed(same_account)) {
                Some(changed) => account = changed,
                // Opened by another of their requests, or taken back, or ended.
                None => {
                    let grant = grant_of(user, &invitation.member_number, store).await?.ok_or(Problem::NotFound)?;
                    return Ok(AccountDoor { caller, grant, account });
                }
            }
        }
        Err(Problem::TryAgain { context: "the account changes all the time".to_owned() })
    }
}

impl AccountDoor {
    /// Only where the manager said OUI.
    ///
    /// # Errors
    /// `account-not-activated`.
    pub fn activated(self) -> Result<Self, Problem> {
        if self.account.active { Ok(self) } else { Err(Problem::AccountNotActivated) }
    }
}

/// The grant that an invitation becomes.
fn opened(invitation: &Invitation, user: &User, account: &Account, call: &Call) -> Grant {
    // Later than what it opens, whatever the clocks of two machines say.
    let since = call.now.max(invitation.since);
    let grant = Grant::of_reader(user.user_id, account, since, Some(invitation.invitation_id));
    Grant { given_at: Some(invitation.since), ..grant }
}

/// By what right a user sees an account who had no grant a moment ago: by one that came since, or by an invitation of
/// their address that has not ended. The grant is looked for first: another of their requests may open the invitation
/// in between, and then the second look finds neither.
async fn permit_of(
    user: &User,
    number: &MemberNumber,
    store: &Store,
    now: Timestamp,
) -> Result<Option<Permit>, StoreError> {
    let mut batch = Batch::new();
    let grant = batch.want(Grant::key_of(user.user_id, number));
    let invitation = batch.want::<Invitation>(Invitation::key_of(number, &AddressHash::of(&user.email)));
    let mut fetched = store.fetch(batch).await?;
    if let Some(grant) = fetched.take(&grant)? {
        return Ok(Some(Permit::Granted(grant)));
    }
    let invitation = fetched.take(&invitation)?.filter(|invitation| invitation.email == user.email);
    match invitation.filter(|invitation| invitation.is_open(now)) {
        Some(invitation) => Ok(Some(Permit::Invited(invitation))),
        None => Ok(grant_of(user, number, store).await?.map(Permit::Granted)),
    }
}

async fn grant_of(user: &User, number: &MemberNumber, store: &Store) -> Result<Option<Grant>, StoreError> {
    let mut batch = Batch::new();
    let wanted = batch.want(Grant::key_of(user.user_id, number));
    store.fetch(batch).await?.take(&wanted)
}

//! Erasing a user, at their wish (`DELETE /api/me`) or because nobody has used their space for two years: the person
//! goes, the evidence stays under the pseudonym, and nobody can read any more where it came from.
//!
//! One transaction cannot hold it all, so it goes in steps, each safe to repeat and to stop after: whoever begins it
//! moves the epoch, so that nothing of the user's that is under way can still write; accounts are left one by one; what
//! lies about is cleared; and the last transaction takes the user, the log-in and the rest, or nothing.

mod accounts;
mod invitations;
mod seats;
mod traces;

use jiff::Timestamp;
use rand::CryptoRng;

use crate::domain::Id;
use crate::http::{Call, Problem};
use crate::security::same_user;
use crate::store::{
    AuditEvent, Condition, EventKind, Guessed, Key, Link, Login, MailHistory, Outbox, Outcome, Purpose, Record as _,
    Reservation, Resident, Rights, Store, StoreError, Transaction, User, Wish, Witness,
};

pub use accounts::{revoked, tell_revoked, withdraw};
pub use invitations::end_invitations;
pub use seats::{Seats, name_change};

/// How often a step is tried again because something of the user's changed in between: no more than 25 wrong
/// passwords can, and some mails.
const MOST_ATTEMPTS: usize = 40;

/// Erases users.
#[derive(Clone)]
pub struct Erasure {
    store: Store,
}

/// Who is erased, and the session that they ask from, which goes last.
pub struct Leaver {
    /// The user, of the epoch that the erasure began with.
    pub user: User,
    /// Their own session.
    pub session: Option<Key>,
}

/// Where and when an erasure is under way.
pub struct Scene<'a> {
    now: Timestamp,
    asked_by: Option<&'a Call>,
}

impl<'a> Scene<'a> {
    /// At the user's own wish.
    #[must_use]
    pub fn of_call(call: &'a Call) -> Self {
        Self { now: call.now, asked_by: Some(call) }
    }

    /// Nobody has used the space.
    #[must_use]
    pub fn of_inactivity(now: Timestamp) -> Self {
        Self { now, asked_by: None }
    }

    /// When.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn is_inactivity(&self) -> bool {
        self.asked_by.is_none()
    }

    /// What happens to the user now, as evidence: their own act, or nobody's.
    ///
    /// # Errors
    /// Where sealing fails, which is a defect.
    pub fn event(&self, user: &User, kind: EventKind, rng: &mut impl CryptoRng) -> Result<AuditEvent, StoreError> {
        let (id, now) = (user.user_id, self.now);
        match self.asked_by {
            Some(call) => {
                let witness = Witness::of_call(call, &user.seal_key, rng)?;
                Ok(AuditEvent::by_user(id, kind, now, witness))
            }
            None => {
                let witness = Witness::seal("", None, None, &user.seal_key, rng)?;
                Ok(AuditEvent::by_whoever(id, None, kind, now, witness).with_detail("inactive"))
            }
        }
    }
}

impl Erasure {
    /// What erases users of this store.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Nobody may be left on an account that has lost its manager.
    ///
    /// # Errors
    /// `manager-must-hand-over`, and where the store fails.
    pub async fn hold_managers_back(&self, user: &User, rights: &Rights, now: Timestamp) -> Result<(), Problem> {
        let seats = Seats::of(&self.store, user, rights).await?;
        self.hold_back(user, rights, &seats, now).await
    }

    /// Erases a user whose epoch was just moved.
    ///
    /// # Errors
    /// `manager-must-hand-over`; `try-again` where the user changed meanwhile; where the store fails.
    pub async fn run(&self, mut caller: Leaver, call: &Scene<'_>, rng: &mut impl CryptoRng) -> Result<(), Problem> {
        for _ in 0..MOST_ATTEMPTS {
            // Looked at again: nobody gets access from this user any more.
            let rights = Rights::of(&self.store, caller.user.user_id).await?;
            let seats = Seats::of(&self.store, &caller.user, &rights).await?;
            self.hold_back(&caller.user, &rights, &seats, call.now).await?;
            if !self.leave_accounts(&caller.user, &rights, &seats, call, rng).await?
                || !self.withdraw_requests(&caller.user, &rights, call, rng).await?
            {
                caller.user = same_user(&self.store, caller.user).await?;
                continue;
            }
            self.clear_before(&caller, call, rng).await?;
            if self.take_away(&caller, &seats, call, rng).await? {
                self.clear_after(&caller.user, rng).await?;
                return Ok(());
            }
            caller.user = same_user(&self.store, caller.user).await?;
        }
        Err(Problem::TryAgain { context: "the user changed all the time".to_owned() })
    }

    /// The last step; `false` where the user is not what was read.
    async fn take_away(
        &self,
        caller: &Leaver,
        seats: &Seats,
        call: &Scene<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Problem> {
        let user = &caller.user;
        let event = call.event(user, EventKind::UserErased, rng)?;
        let last_word = Wish::UserErased {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            inactive: call.is_inactivity(),
        };
        let mut transaction = Transaction::new();
        let unmoved = Condition::All(vec![user.same_address()?, Condition::is("siret", &user.siret)?]);
        transaction.delete(user.key(), Some(unmoved));
        transaction.delete(Resident::key_of(&user.siret, user.user_id), None);
        let own = vec![Condition::is("user_id", &user.user_id)?, Condition::is("epoch", &user.epoch)?];
        transaction.delete(Login::key_of(&user.email), Some(Condition::All(own)));
        if let Some(session) = &caller.session {
            transaction.delete(session.clone(), None);
        }
        // A claim of this moment gives a grant, which would outlast its user.
        seats.hold_claims_off(user, &Rights::default(), true, &mut transaction)?;
        for (purpose, history) in
            [Purpose::Activation, Purpose::Reset].into_iter().zip(self.histories(&user.email).await?)
        {
            // A link that is being made holds a copy of the seal key.
            let same = MailHistory::same_link(history.as_ref())?;
            transaction.delete(MailHistory::key_of(&user.email, purpose), Some(same));
            if let Some(newest) = history.and_then(|history| history.newest_link) {
                transaction.delete(Link::key_of(&newest), None);
            }
        }
        for hash in user.email_changes.iter().flat_map(|change| change.confirming.iter().chain(&change.undoing)) {
            transaction.delete(Link::key_of(hash), None);
        }
        for reservation in self.reservations(user).await? {
            let own = Reservation::none_of_others(user.user_id, call.now)?;
            transaction.delete(reservation.key(), Some(own));
        }
        for guessed in
            [Guessed::Password { email: user.email.clone() }, Guessed::MemberNumberBy { user_id: user.user_id }]
        {
            transaction.delete(guessed.key(), None);
        }
        transaction.create(&event)?;
        transaction.create(&Outbox::new(Id::random(rng), last_word, call.now))?;
        Ok(matches!(self.store.commit(&transaction, rng).await?, Outcome::Committed))
    }
}

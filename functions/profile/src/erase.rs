//! `DELETE /api/me`: the person goes, the evidence stays under the pseudonym, and nobody can read any more
//! where it came from.
//!
//! One transaction cannot hold it all, so it goes in steps, each safe to repeat and to stop after: the epoch
//! moves, so that nothing of the user's that is under way can still write; accounts are left one by one; what
//! lies about is cleared; and the last transaction takes the user, the log-in and the rest, or nothing.

use futures::future::join;
use portal::domain::Id;
use portal::http::{Answer, Call, Problem};
use portal::security::{Caller, Password, Proven};
use portal::store::{
    AuditEvent, Batch, Change, Condition, EventKind, Guessed, Link, Login, MailHistory, Outbox, Outcome, Purpose,
    Record as _, Reservation, Rights, Transaction, Wish, Witness,
};
use rand::CryptoRng;

use crate::seats::Seats;
use crate::{Function, MOST_ATTEMPTS};

impl Function {
    pub(crate) async fn erase(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let rights = Rights::of(&self.store, ticket.claims.sub);
        let (fetched, rights) = join(self.store.fetch(batch), rights).await;
        let mut caller = ticket.admit(&keys, &mut fetched?, call.now)?;
        let rights = rights?;
        let mut form = call.form()?;
        let current = form.verbatim("current_password").map(Password::of);
        let proven = self.prove(&caller.user, current.as_ref(), call, rng).await?;
        let (proven,) = form.finish((proven,))?;
        let seats = Seats::of(&self.store, &caller.user, &rights).await?;
        self.hold_managers_back(&caller.user, &rights, &seats).await?;

        self.end_other_sessions(&mut caller, proven, call, rng).await?;
        for _ in 0..MOST_ATTEMPTS {
            // Looked at again: nobody gets access from this user any more.
            let rights = Rights::of(&self.store, caller.user.user_id).await?;
            let seats = Seats::of(&self.store, &caller.user, &rights).await?;
            self.hold_managers_back(&caller.user, &rights, &seats).await?;
            if !self.leave_accounts(&caller.user, &rights, &seats, call, rng).await?
                || !self.withdraw_requests(&caller.user, &rights, call, rng).await?
            {
                caller.user = self.same_user(caller.user).await?;
                continue;
            }
            self.clear_before(&caller, call, rng).await?;
            if self.take_away(&caller, &seats, call, rng).await? {
                self.clear_after(&caller.user, rng).await?;
                return Ok(Answer::no_content());
            }
            caller.user = self.same_user(caller.user).await?;
        }
        Err(Problem::TryAgain { context: "the user changed all the time".to_owned() })
    }

    /// Moves the epoch, with the caller's own session, which may have to do this again.
    async fn end_other_sessions(
        &self,
        caller: &mut Caller,
        mut proven: Proven,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Problem> {
        let user = &mut caller.user;
        let this_epoch = Condition::is("epoch", &user.epoch)?;
        let own = Condition::All(vec![Condition::is("user_id", &user.user_id)?, this_epoch.clone()]);
        let next = || Change::new().add("epoch", 1);
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let guard = proven.guard(&mut transaction)?;
            transaction.update(user.key(), next(), this_epoch.clone());
            transaction.update(proven.login.key(), next(), own.clone());
            transaction.update(caller.session.key(), next(), this_epoch.clone());
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => {
                    user.epoch += 1;
                    return Ok(());
                }
                Outcome::Refused(refused) if refused.failed(guard) => proven.renew(call).await?,
                Outcome::Refused(_) => break,
            }
        }
        Err(Problem::TryAgain { context: "the user changed meanwhile".to_owned() })
    }

    /// The last step; `false` where the user is not what was read.
    async fn take_away(
        &self,
        caller: &Caller,
        seats: &Seats,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Problem> {
        let user = &caller.user;
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::UserErased, call.now, witness, rng);
        let last_word =
            Wish::UserErased { email: user.email.clone(), civility: user.civility, last_name: user.last_name.clone() };
        let mut transaction = Transaction::new();
        transaction.delete(user.key(), Some(user.same_address()?));
        let own = vec![Condition::is("user_id", &user.user_id)?, Condition::is("epoch", &user.epoch)?];
        transaction.delete(Login::key_of(&user.email), Some(Condition::All(own)));
        transaction.delete(caller.session.key(), None);
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

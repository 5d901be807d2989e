//! `DELETE /api/me`: the caller's password is proved, every other session ends, and the person goes
//! (`portal::erasure`).

use futures::future::join;
use portal::erasure::{Leaver, Scene};
use portal::http::{Answer, Call, Problem};
use portal::security::{Caller, Password, Proven};
use portal::store::{Batch, Change, Condition, Outcome, Record as _, Rights, Transaction};
use rand::CryptoRng;

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
        self.erasure.hold_managers_back(&caller.user, &rights, call.now).await?;
        self.end_other_sessions(&mut caller, proven, call, rng).await?;
        let leaver = Leaver { session: Some(caller.session.key()), user: caller.user };
        self.erasure.run(leaver, &Scene::of_call(call), rng).await?;
        Ok(Answer::no_content())
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
}

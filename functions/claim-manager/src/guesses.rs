//! The limits on guessing a member number: five failures a day for a user, ten for an establishment.
//!
//! Numbers have six digits, so without them a stranger would find one within days. Reaching the
//! establishment's limit tells the fund's staff, and mails the contact address on file a pass that lets one
//! claim through. Where there is none on file, whoever has been of the establishment for a while and has not failed
//! lately is heard once a day all the same: who guesses cannot keep an establishment out.

use std::time::Duration;

use jiff::Timestamp;
use portal::domain::Id;
use portal::http::{Call, Idempotency, MailedLink, Problem};
use portal::security::LinkToken;
use portal::store::{
    Alert, AlertKind, Attempts, AuditEvent, Batch, ClaimPass, Condition, Establishment, EventKind, Fetched, Guessed,
    Outbox, Outcome, Record as _, Refused, RememberedOutcome, Step, Store, StoreError, Transaction, User, Wanted, Wish,
    Witness,
};
use rand::CryptoRng;

use crate::Function;

/// How often a failure is counted again because another came between: no more than fifteen can.
const MOST_ATTEMPTS: usize = 20;

/// Where a batch will have what decides whether a guess is heard.
pub(crate) struct GuessKeys {
    by_user: Guessed,
    of_establishment: Guessed,
    wanted: [Wanted<Attempts>; 2],
    pass: Option<Wanted<ClaimPass>>,
}

/// The failures that count against a claim, and the pass that it came with.
pub(crate) struct Guesses {
    by_user: Attempts,
    of_establishment: Attempts,
    pass: Option<ClaimPass>,
    /// Whether the user is heard now and then although the establishment's limit is reached.
    of_standing: bool,
}

/// What a transaction demands of the guesses.
pub(crate) struct Guards(Vec<Step>);

impl GuessKeys {
    /// Asks for the failures of the user and of the establishment that the token remembers.
    pub(crate) fn ask(
        batch: &mut Batch,
        by_user: Guessed,
        of_establishment: Guessed,
        token: Option<&LinkToken>,
    ) -> Self {
        let wanted = [batch.want(by_user.key()), batch.want(of_establishment.key())];
        let pass = token.map(|token| batch.want(ClaimPass::key_of(token.hashed().as_str())));
        Self { by_user, of_establishment, wanted, pass }
    }

    /// What is known of the guesses of `user`.
    pub(crate) async fn of(
        self,
        (user, establishment): (&User, Option<&Establishment>),
        fetched: &mut Fetched,
        store: &Store,
        now: Timestamp,
    ) -> Result<Guesses, Problem> {
        let [by_user, of_establishment] = self.wanted;
        let by_user = Attempts::or_none(fetched.take(&by_user)?, self.by_user);
        let own = Guessed::MemberNumberOf { siret: user.siret.clone() };
        // The user's SIRET may have changed since their token was issued.
        let of_establishment =
            if self.of_establishment == own { fetched.take(&of_establishment)? } else { store.get(&own.key()).await? };
        let of_establishment = Attempts::or_none(of_establishment, own);
        let pass = match self.pass {
            Some(wanted) => {
                let pass = fetched.take::<ClaimPass>(&wanted)?;
                // It is the account's, whatever SIRET the fund's file moved that to since.
                let number = establishment.map(|establishment| &establishment.member_number);
                let is_own = |pass: &ClaimPass| pass.siret == user.siret || Some(&pass.member_number) == number;
                let pass = pass.filter(|pass| is_own(pass) && now < pass.expires_at);
                Some(pass.ok_or(Problem::LinkInvalid(MailedLink::ClaimPass))?)
            }
            None => None,
        };
        Ok(Guesses { by_user, of_establishment, pass, of_standing: user.is_of_standing(now) })
    }
}

impl Guesses {
    /// Whether a guess is heard: with a pass it always is.
    pub(crate) fn open(&self, now: Timestamp) -> Result<(), Problem> {
        if self.pass.is_some() {
            return Ok(());
        }
        let closed = [self.by_user.closed_for(now), self.establishment_closed_for(now)];
        closed.into_iter().flatten().max().map_or(Ok(()), |left| Err(Problem::closed_for(left)))
    }

    /// How long the establishment's limit keeps this user out.
    fn establishment_closed_for(&self, now: Timestamp) -> Option<Duration> {
        let left = self.of_establishment.closed_for(now)?;
        if self.of_standing { self.by_user.rest_for(now).map(|rest| rest.min(left)) } else { Some(left) }
    }

    /// Returns whether the claim came with a pass of the contact on the fund's file.
    pub(crate) fn has_pass(&self) -> bool {
        self.pass.is_some()
    }

    /// Makes a right number count only while there is something left to guess, or uses the pass up.
    pub(crate) fn guard(&self, transaction: &mut Transaction) -> Result<Guards, StoreError> {
        if let Some(pass) = &self.pass {
            return Ok(Guards(vec![transaction.delete(pass.key(), Some(Condition::Exists))]));
        }
        let guesses = [&self.by_user, &self.of_establishment];
        let checks = guesses.into_iter().map(|guesses| Ok(transaction.check(guesses.key(), guesses.unchanged()?)));
        checks.collect::<Result<_, StoreError>>().map(Guards)
    }

    /// Looks again, after the guards refused a transaction: `link-invalid` where the pass is used up,
    /// `too-many-attempts` where the door is closed by now.
    pub(crate) async fn renew(&mut self, store: &Store, now: Timestamp) -> Result<(), Problem> {
        if let Some(pass) = &self.pass
            && store.get::<ClaimPass>(&pass.key()).await?.is_none()
        {
            return Err(Problem::LinkInvalid(MailedLink::ClaimPass));
        }
        for guesses in [&mut self.by_user, &mut self.of_establishment] {
            let guessed = guesses.guessed.clone();
            *guesses = Attempts::or_none(store.get(&guessed.key()).await?, guessed);
        }
        self.open(now)
    }
}

impl Guards {
    /// Whether it was the guesses that refused a transaction.
    pub(crate) fn failed(&self, refused: &Refused) -> bool {
        self.0.iter().any(|step| refused.failed(*step))
    }
}

impl Function {
    /// Says why a claim with the right number is refused, only while there is something left to guess: any answer but
    /// that of a wrong number tells that it is right. A pass is good for the next claim still.
    pub(crate) async fn refuse_right(
        &self,
        guesses: &mut Guesses,
        problem: Problem,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Problem, Problem> {
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            match &guesses.pass {
                Some(pass) => drop(transaction.check(pass.key(), Condition::Exists)),
                None => drop(guesses.guard(&mut transaction)?),
            }
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(problem),
                Outcome::Refused(_) => guesses.renew(&self.store, call.now).await?,
            }
        }
        Err(Problem::TryAgain { context: "others guessed all the time".to_owned() })
    }

    /// Counts a wrong number, with its evidence, before anybody is told.
    pub(crate) async fn count_failure(
        &self,
        user: &User,
        guesses: &mut Guesses,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Problem, Problem> {
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::ClaimFailed, call.now, witness);
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let mut guards = Vec::new();
            if let Some(pass) = &guesses.pass {
                guards.push(transaction.delete(pass.key(), Some(Condition::Exists)));
            }
            for counted in [&guesses.by_user, &guesses.of_establishment] {
                guards.push(transaction.put(&counted.with_failure(call.now), Some(counted.unchanged()?))?);
            }
            transaction.create(&event)?;
            for wish in alarms(user, guesses, call.now) {
                if let Wish::StaffAlert { siret, user_id } = &wish {
                    let kind = user_id
                        .map_or(AlertKind::GuessesOfEstablishment, |user_id| AlertKind::GuessesOfUser { user_id });
                    Alert::new(siret, kind, call.now, rng).raise(&mut transaction)?;
                }
                transaction.create(&Outbox::new(Id::random(rng), wish, call.now))?;
            }
            let remembered = repeat.remember(&mut transaction, RememberedOutcome::Refused)?;
            match self.store.commit(&transaction, rng).await.map_err(|error| repeat.failure(error))? {
                Outcome::Committed => return Ok(Problem::ClaimRefused),
                Outcome::Refused(refused) => {
                    if repeat.recall_refused(&refused, remembered)?.is_some() {
                        return Ok(Problem::ClaimRefused);
                    }
                    guesses.renew(&self.store, call.now).await?;
                }
            }
        }
        Err(Problem::TryAgain { context: "failures of one establishment came between all the time".to_owned() })
    }
}

/// Whom to tell that this failure is the last that is heard.
fn alarms(user: &User, guesses: &Guesses, now: Timestamp) -> Vec<Wish> {
    let is_last =
        |guesses: &Attempts| guesses.closed_for(now).is_none() && guesses.with_failure(now).closed_for(now).is_some();
    let siret = &user.siret;
    let mut wishes = Vec::new();
    if is_last(&guesses.by_user) {
        wishes.push(Wish::StaffAlert { siret: siret.clone(), user_id: Some(user.user_id) });
    }
    if is_last(&guesses.of_establishment) {
        wishes.push(Wish::StaffAlert { siret: siret.clone(), user_id: None });
        wishes.push(Wish::ClaimsClosed { siret: siret.clone() });
    }
    wishes
}

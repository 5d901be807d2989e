//! Whether a password is an address's, and the limit on guessing it.
//!
//! An unknown address costs the same read, the same hash and the same write as a known one, and its
//! failures are counted alike.

use rand::CryptoRng;

use super::{Hashing, Password, SealKey, Verdict};
use crate::domain::{Email, Id};
use crate::http::{Call, Problem};
use crate::store::{
    Attempts, AuditEvent, Batch, EmailProblem, EventKind, Guessed, Login, MailState, Outcome, Record, Step, Store,
    StoreError, Transaction, Witness,
};

/// How often a verdict is tried again because another failure came between: no more than 25 can.
const MOST_VERDICTS: usize = 30;

/// Knows whether a password is an address's.
#[derive(Clone)]
pub struct Credentials {
    store: Store,
    hashing: Hashing,
}

/// An address whose log-in and failures were read.
pub struct Candidate {
    credentials: Credentials,
    email: Email,
    login: Option<Login>,
    attempts: Attempts,
    mail: Option<MailState>,
}

/// An address whose password was given. It counts once [`Proven::guard`] was committed.
pub struct Proven {
    /// The log-in.
    pub login: Login,
    /// Why the address is not mailed any more, for its owner to know.
    pub email_problem: Option<EmailProblem>,
    /// The same password hashed as is done today, where the stored hash is weaker or of a text that is not prepared.
    pub stronger: Option<super::PasswordHash>,
    store: Store,
    attempts: Attempts,
}

impl Credentials {
    /// What judges passwords.
    #[must_use]
    pub fn new(store: &Store, hashing: &Hashing) -> Self {
        Self { store: store.clone(), hashing: hashing.clone() }
    }

    /// Reads what is needed to judge, in one call.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(&self, email: &Email) -> Result<Candidate, StoreError> {
        let guessed = Guessed::Password { email: email.clone() };
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(email));
        let attempts = batch.want::<Attempts>(guessed.key());
        let mail = batch.want::<MailState>(MailState::key_of(email));
        let mut fetched = self.store.fetch(batch).await?;
        let mail = fetched.take(&mail)?;
        // Who is being erased is nobody already: the same hash, the same answer.
        let login = fetched.take(&login)?.filter(|login: &Login| !login.is_leaving());
        let attempts = Attempts::or_none(fetched.take(&attempts)?, guessed);
        Ok(Candidate { credentials: self.clone(), email: email.clone(), login, attempts, mail })
    }

    /// Reads, and judges.
    ///
    /// # Errors
    /// As [`Candidate::prove`].
    pub async fn prove(
        &self,
        email: &Email,
        password: Password,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Proven, Problem> {
        self.of(email).await?.prove(password, call, rng).await
    }
}

impl Candidate {
    /// Judges a password; a wrong one is counted, with its evidence, before anybody is told.
    ///
    /// # Errors
    /// `too-many-attempts` while the door is closed, without a look at the password; `bad-credentials`
    /// where the address is unknown or the password wrong.
    pub async fn prove(mut self, password: Password, call: &Call, rng: &mut impl CryptoRng) -> Result<Proven, Problem> {
        open(&self.attempts, call)?;
        let hashing = self.credentials.hashing.clone();
        let hash = self.login.as_ref().map(|login| &login.password_hash);
        let outdated = hash.is_some_and(super::PasswordHash::is_outdated);
        let verdict = hashing.verify(&password, hash).await.map_err(failed)?;
        match self.login.take() {
            Some(login) if verdict != Verdict::Wrong => {
                let renewed = outdated || verdict == Verdict::RightAsTyped;
                let stronger = if renewed { Some(hashing.hash(&password, rng).await.map_err(failed)?) } else { None };
                let email_problem = MailState::or_none(self.mail.take(), &self.email, call.now).problem();
                Ok(Proven { login, email_problem, stronger, store: self.credentials.store, attempts: self.attempts })
            }
            login => Err(self.count(login.as_ref(), call, rng).await?),
        }
    }

    /// Counts a failure, unless others have used up what there was.
    async fn count(
        &mut self,
        login: Option<&Login>,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Problem, Problem> {
        // Nobody's failure is evidence too: of a random subject, sealed under a key that nobody keeps.
        let (subject, seal_key) = match login {
            Some(login) => (login.user_id, login.seal_key.clone()),
            None => (Id::random(rng), SealKey::random(rng)),
        };
        let witness = Witness::of_call(call, &seal_key, rng)?;
        let event = AuditEvent::by_whoever(subject, call.caller(), EventKind::LogInFailed, call.now, witness);
        for _ in 0..MOST_VERDICTS {
            let mut transaction = Transaction::new();
            transaction.put(&self.attempts.with_failure(call.now), Some(self.attempts.unchanged()?))?;
            transaction.create(&event)?;
            match self.credentials.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(Problem::BadCredentials),
                Outcome::Refused(_) => {
                    let guessed = Guessed::Password { email: self.email.clone() };
                    self.attempts = attempts_at(&self.credentials.store, guessed).await?;
                    open(&self.attempts, call)?;
                }
            }
        }
        Err(overtaken())
    }
}

impl Proven {
    /// Makes a transaction demand that nobody failed, and nothing was forgiven, since the password was
    /// judged: a right one among guesses in parallel counts only while there is something left to guess.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn guard(&self, transaction: &mut Transaction) -> Result<Step, StoreError> {
        Ok(transaction.check(self.attempts.key(), self.attempts.unchanged()?))
    }

    /// Commits the guard alone: that the password is right counts from then on, whatever else is wrong with the request.
    /// Told before, it would tell a right password from wrong ones to guesses in parallel beyond what is left to guess.
    ///
    /// # Errors
    /// As [`Self::renew`]; where the store fails.
    pub async fn settle(mut self, call: &Call, rng: &mut impl CryptoRng) -> Result<Self, Problem> {
        for _ in 0..MOST_VERDICTS {
            let mut transaction = Transaction::new();
            self.guard(&mut transaction)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(self),
                Outcome::Refused(_) => self.renew(call).await?,
            }
        }
        Err(overtaken())
    }

    /// Looks again, after the guard refused a transaction.
    ///
    /// # Errors
    /// `too-many-attempts` where the door is closed by now.
    pub async fn renew(&mut self, call: &Call) -> Result<(), Problem> {
        let guessed = self.attempts.guessed.clone();
        self.attempts = attempts_at(&self.store, guessed).await?;
        open(&self.attempts, call)
    }
}

/// The failures as they are now; a batch, as who judges passwords reads in batches and needs no other right.
async fn attempts_at(store: &Store, guessed: Guessed) -> Result<Attempts, StoreError> {
    let mut batch = Batch::new();
    let attempts = batch.want::<Attempts>(guessed.key());
    Ok(Attempts::or_none(store.fetch(batch).await?.take(&attempts)?, guessed))
}

/// Whether a guess is heard at all.
fn open(attempts: &Attempts, call: &Call) -> Result<(), Problem> {
    match attempts.closed_for(call.now) {
        Some(left) => Err(Problem::closed_for(left)),
        None => Ok(()),
    }
}

fn overtaken() -> Problem {
    Problem::TryAgain { context: "failures of one address came between all the time".to_owned() }
}

fn failed(error: super::hashing::HashingError) -> Problem {
    Problem::internal("password", &error)
}

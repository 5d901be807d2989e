//! `Idempotency-Key`: a request that is sent twice has one effect, and both get the same answer.
//!
//! The answer is remembered in the transaction of the effect itself, so there is no moment at which one
//! is there without the other: a repeat that comes while the first is still under way collides with it in
//! the store, waits its turn, and finds the answer (`docs/decisions/0038-idempotency-keys.md`).
//!
//! ```text
//! let repeat = Idempotency::of(call, Some(user_id))?;
//! let asked = repeat.ask(&mut batch);                            // where there is a batch
//! if let Some(first) = repeat.recall(&asked, &mut fetched)? { return first.answer_or(…); }
//! let step = repeat.remember(&mut transaction, &answer)?;        // with the effect
//! if let Some(first) = repeat.recall_refused(&refused, step)? { … }
//! ```

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::{Answer, Call, Problem};
use crate::domain::{Id, Refusal, to_hex};
use crate::store::{
    Batch, Change, Condition, Fetched, Refused, Remembered, RememberedOutcome, Step, Store, StoreError, Transaction,
    Wanted,
};

/// The header.
const HEADER: &str = "idempotency-key";

/// The longest key. A UUID has 36 characters.
const LONGEST: usize = 255;

/// The idempotency key of a call, where it has one; without, everything here does nothing.
pub struct Idempotency {
    key: Option<Fingerprints>,
    now: Timestamp,
}

struct Fingerprints {
    /// Of route, account, caller and key: one caller's key is nobody else's, and good for one account. A caller
    /// without a session has no name: there the body stands in its place.
    id: String,
    /// Of the body.
    body: String,
}

/// The first answer to a key.
pub enum FirstAnswer {
    /// A success, as it was given.
    Answered(Answer),
    /// The route's own refusal.
    Refused,
}

impl Idempotency {
    /// The key that a call came with; `user_id` where the caller is signed in.
    ///
    /// Of callers without a session a key names a request together with its body alone: two strangers who use one key
    /// for two requests never meet, and a repeat is one wherever it comes from.
    ///
    /// # Errors
    /// `invalid-input` where the key is not 1 to 255 visible ASCII characters, and `malformed-request`
    /// where the body is none.
    pub fn of(call: &Call, user_id: Option<Id>) -> Result<Self, Problem> {
        let Some(key) = call.header(HEADER) else { return Ok(Self { key: None, now: call.now }) };
        let fits = (1..=LONGEST).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        if !fits {
            let refusal = Refusal::new(
                "idempotency-key",
                "Une clé d’idempotence comporte 1 à 255 caractères ASCII visibles.",
                "An idempotency key has 1 to 255 visible ASCII characters.",
            );
            return Err(Problem::field("Idempotency-Key", refusal));
        }
        let account = call.path("number").as_bytes();
        // As understood, not as spelled: a client may write its JSON anew.
        let body = sha256(call.json()?.to_string().as_bytes());
        let caller = user_id.map_or_else(|| body.clone(), |id| id.to_string());
        let id = sha256(&[call.route.as_bytes(), account, caller.as_bytes(), key].join(&b'\n'));
        Ok(Self { key: Some(Fingerprints { id, body }), now: call.now })
    }

    /// Asks a batch for the first answer.
    pub fn ask(&self, batch: &mut Batch) -> Option<Wanted<Remembered>> {
        self.key.as_ref().map(|key| batch.want(Remembered::key_of(&key.id)))
    }

    /// The first answer, where there was one.
    ///
    /// # Errors
    /// `idempotency-key-reused` where it was for another body.
    pub fn recall(
        &self,
        asked: Option<&Wanted<Remembered>>,
        fetched: &mut Fetched,
    ) -> Result<Option<FirstAnswer>, Problem> {
        let Some(asked) = asked else { return Ok(None) };
        let remembered = fetched.take(asked)?.filter(|remembered| self.now < remembered.expires_at);
        remembered.map(|remembered| self.first(remembered)).transpose()
    }

    /// Remembers an answer together with its effect.
    ///
    /// # Errors
    /// Where the record cannot be an item.
    pub fn remember(
        &self,
        transaction: &mut Transaction,
        outcome: RememberedOutcome,
    ) -> Result<Option<Step>, StoreError> {
        let Some(key) = &self.key else { return Ok(None) };
        let remembered = Remembered::new(key.id.clone(), key.body.clone(), outcome, self.now);
        transaction.put(&remembered, Some(Remembered::none_at(self.now)?)).map(Some)
    }

    /// Remembers that the first request was refused after all, although its effect was written: what it
    /// was decided by was read at the same time.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn remember_refusal(&self, store: &Store) -> Result<(), StoreError> {
        let Some(key) = &self.key else { return Ok(()) };
        let refused = Change::new().set("outcome", &RememberedOutcome::Refused)?;
        store.update(&Remembered::key_of(&key.id), &refused, Some(&Condition::Exists)).await.map(drop)
    }

    /// The first answer, where it was what refused a transaction.
    ///
    /// # Errors
    /// `idempotency-key-reused` where it was for another body.
    pub fn recall_refused(&self, refused: &Refused, step: Option<Step>) -> Result<Option<FirstAnswer>, Problem> {
        let Some(step) = step.filter(|step| refused.failed(*step)) else { return Ok(None) };
        refused.existing(step)?.map(|remembered| self.first(remembered)).transpose()
    }

    /// What a failure of the store means here: where the first request holds the key for longer than one
    /// can wait, it is in flight.
    #[must_use]
    pub fn failure(&self, error: StoreError) -> Problem {
        match error {
            StoreError::Contention if self.key.is_some() => Problem::RequestInFlight,
            other => other.into(),
        }
    }

    fn first(&self, remembered: Remembered) -> Result<FirstAnswer, Problem> {
        if self.key.as_ref().is_none_or(|key| key.body != remembered.fingerprint) {
            return Err(Problem::IdempotencyKeyReused);
        }
        Ok(match remembered.outcome {
            RememberedOutcome::Answered { status, body } => FirstAnswer::Answered(Answer::again(status, body)?),
            RememberedOutcome::Refused => FirstAnswer::Refused,
        })
    }
}

impl FirstAnswer {
    /// The answer, or the problem that the route's refusal is.
    ///
    /// # Errors
    /// `refusal`.
    pub fn or(self, refusal: Problem) -> Result<Answer, Problem> {
        match self {
            Self::Answered(answer) => Ok(answer),
            Self::Refused => Err(refusal),
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    to_hex(digest(&SHA256, bytes).as_ref())
}

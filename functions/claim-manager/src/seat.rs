//! Taking the manager's seat, or finding it taken.

use portal::domain::{DocumentKind, DocumentReference, Id, fund_day};
use portal::http::{Answer, Call, Idempotency, Problem};
use portal::store::{
    Acceptance, AccessRequest, Account, AuditEvent, Change, ClaimOf, Condition, Establishment, EventKind, Grant,
    GrantMirror, Manager, Outbox, Outcome, Proof, Record, Role, StoreError, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

use crate::Function;
use crate::guesses::Guesses;
use crate::limits::EndedContest;

/// How often a claim is decided again because a guess of somebody else came between.
const MOST_ATTEMPTS: usize = 20;

/// A claim with the right number.
pub(crate) struct RightClaim {
    pub(crate) user: User,
    pub(crate) establishment: Establishment,
    pub(crate) account: Account,
    pub(crate) account_terms: DocumentReference,
    /// The staff took this account's role from the user once.
    pub(crate) barred: bool,
}

/// How an attempt to decide a claim ended.
enum Attempt {
    Decided(Answer),
    /// Somebody failed to guess, or used the pass, meanwhile.
    GuessedMeanwhile,
    /// The seat was taken meanwhile, or what is known of its claims changed.
    Changed(Box<Establishment>),
}

impl Function {
    /// Takes the seat where it is free, and names who sits there where it is not.
    pub(crate) async fn decide(
        &self,
        mut claim: RightClaim,
        mut guesses: Guesses,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        for _ in 0..MOST_ATTEMPTS {
            let attempt = match &claim.establishment.manager {
                None => match self.may_claim(&claim, guesses.has_pass(), call.now).await? {
                    Ok(ended) => self.take_seat(&claim, &ended, &guesses, repeat, call, rng).await?,
                    Err(problem) => return Err(self.refuse_right(&mut guesses, problem, call, rng).await?),
                },
                // Theirs already, as by a claim whose answer was lost.
                Some(manager) if manager.user_id == claim.user.user_id => return claimed(&claim),
                Some(manager) => self.already_managed(&claim, manager, &guesses, call, rng).await?,
            };
            match attempt {
                Attempt::Decided(answer) => return Ok(answer),
                Attempt::Changed(establishment) => claim.establishment = *establishment,
                Attempt::GuessedMeanwhile => guesses.renew(&self.store, call.now).await?,
            }
        }
        Err(Problem::TryAgain { context: "others guessed all the time".to_owned() })
    }

    /// Manager, grant, evidence and confirmation mail are one transaction: there is no manager without
    /// accepted terms, and no mail without a manager.
    async fn take_seat(
        &self,
        claim: &RightClaim,
        ended: &EndedContest,
        guesses: &Guesses,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, Problem> {
        let RightClaim { user, establishment, account, account_terms, .. } = claim;
        let since = establishment.claims.next_since(call.now);
        let number = &establishment.member_number;
        let manager =
            Manager { user_id: user.user_id, civility: user.civility, last_name: user.last_name.clone(), since };
        let grant = Grant {
            user_id: user.user_id,
            member_number: number.clone(),
            role: Role::Manager,
            siret: establishment.siret.clone(),
            name: establishment.name.clone(),
            active: account.active,
            since,
            invitation_id: None,
            given_at: None,
            sirets_before: account.sirets_before.clone(),
        };
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let kind = DocumentKind::AccountTerms;
        let acceptance = Acceptance::new(user.user_id, kind, account_terms, call.now, witness).with_claim_of(number);
        let confirmation = Wish::ClaimMade {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            member_number: number.clone(),
            siret: establishment.siret.clone(),
            establishment: establishment.name.clone(),
            receipt: acceptance.receipt(),
        };
        let told = Wish::ClaimTold {
            claim: ClaimOf { siret: establishment.siret.clone(), member_number: number.clone(), since },
        };
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::AccountClaimed, call.now, witness).about(number);

        let mut transaction = Transaction::new();
        let taken = Change::new()
            .set("manager", &manager)?
            .set("claims", &establishment.claims.with(user.user_id, since))?
            .remove("contested")
            .remove("release");
        let seat = transaction.update(establishment.key(), taken, establishment.as_seen()?);
        ended.write(number, call.now, &mut transaction)?;
        let guards = guesses.guard(&mut transaction)?;
        let paused = Change::new().set("next_claim_at", &(call.now + User::CLAIM_PAUSE).as_millisecond())?;
        let may_claim = Condition::All(vec![unmoved(user)?, User::may_claim(call.now)?]);
        transaction.update(User::key_of(user.user_id), paused, may_claim);
        // The grant has a copy of the OUI, which outlasts a manager whom the staff released.
        transaction.check(account.key(), Condition::is("active", &account.active)?);
        transaction.put(&GrantMirror(grant.clone()), None)?;
        transaction.put(&grant, None)?;
        AccessRequest::delete_any(user.user_id, number, &mut transaction);
        transaction.put(&proof(user, establishment, call), None)?;
        transaction.create(&acceptance)?;
        event.create_with_account(&mut transaction)?;
        transaction.create(&Outbox::new(Id::random(rng), confirmation, call.now))?;
        transaction.create(&Outbox::new(Id::random(rng), told, call.now))?;
        let answer = claimed(claim)?;
        let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
        match self.store.commit(&transaction, rng).await.map_err(|error| repeat.failure(error))? {
            Outcome::Committed => Ok(Attempt::Decided(answer)),
            Outcome::Refused(refused) => {
                if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                    return first.or(Problem::ClaimRefused).map(Attempt::Decided);
                }
                if guards.failed(&refused) {
                    return Ok(Attempt::GuessedMeanwhile);
                }
                if !refused.failed(seat) {
                    return Err(moved());
                }
                let changed = refused.existing::<Establishment>(seat)?;
                let today = fund_day(call.now);
                let changed = changed.filter(|seat| seat.member_number == *number && seat.is_open(today));
                changed.map(|seat| Attempt::Changed(Box::new(seat))).ok_or(Problem::ClaimRefused)
            }
        }
    }

    /// Names the manager to who entered the right number, and remembers that they did, unless they leave
    /// the establishment at this moment: what they proved there must not outlast it.
    async fn already_managed(
        &self,
        claim: &RightClaim,
        manager: &Manager,
        guesses: &Guesses,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Attempt, Problem> {
        let mut transaction = Transaction::new();
        let guards = guesses.guard(&mut transaction)?;
        transaction.check(User::key_of(claim.user.user_id), unmoved(&claim.user)?);
        transaction.put(&proof(&claim.user, &claim.establishment, call), None)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => {
                Err(Problem::AlreadyManaged { civility: manager.civility, last_name: manager.last_name.clone() })
            }
            Outcome::Refused(refused) if guards.failed(&refused) => Ok(Attempt::GuessedMeanwhile),
            Outcome::Refused(_) => Err(moved()),
        }
    }
}

fn claimed(claim: &RightClaim) -> Result<Answer, Problem> {
    Answer::created(&json!({"member_number": claim.establishment.member_number, "role": "manager"}))
}

/// The user is still who they were when they were let in, of the same establishment, and not erased.
fn unmoved(user: &User) -> Result<Condition, StoreError> {
    Ok(Condition::All(vec![
        Condition::is("epoch", &user.epoch)?,
        Condition::is("siret", &user.siret)?,
        Condition::is("civility", &user.civility)?,
        Condition::is("last_name", &user.last_name)?,
    ]))
}

/// The caller's next try finds out what has changed.
fn moved() -> Problem {
    Problem::TryAgain { context: "the user changed during the claim".to_owned() }
}

fn proof(user: &User, establishment: &Establishment, call: &Call) -> Proof {
    Proof {
        user_id: user.user_id,
        member_number: establishment.member_number.clone(),
        siret: establishment.siret.clone(),
        proved_at: call.now,
    }
}

//! Taking the manager's seat, or finding it taken.

use portal::domain::{DocumentKind, DocumentReference, Id};
use portal::http::{Answer, Call, Problem};
use portal::store::{
    Acceptance, AuditEvent, Change, Condition, Establishment, EventKind, Grant, GrantMirror, Manager, Outbox, Outcome,
    Proof, Record, Role, StoreError, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;

use crate::Function;

impl Function {
    /// Takes the seat: `None` where it was free, else who sits there.
    ///
    /// Manager, grant, evidence and confirmation mail are one transaction: there is no manager without
    /// accepted terms, and no mail without a manager.
    pub(crate) async fn take_seat(
        &self,
        user: &User,
        establishment: &Establishment,
        account_terms: &DocumentReference,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Manager>, Problem> {
        let number = &establishment.member_number;
        let manager = Manager {
            user_id: user.user_id,
            civility: user.civility,
            last_name: user.last_name.clone(),
            since: call.now,
        };
        let grant = Grant {
            user_id: user.user_id,
            member_number: number.clone(),
            role: Role::Manager,
            siret: establishment.siret.clone(),
            name: establishment.name.clone(),
            active: false,
            since: call.now,
        };
        let confirmation = Wish::ClaimMade {
            email: user.email.clone(),
            civility: user.civility,
            last_name: user.last_name.clone(),
            member_number: number.clone(),
            siret: establishment.siret.clone(),
            establishment: establishment.name.clone(),
        };
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let kind = DocumentKind::AccountTerms;
        let acceptance =
            Acceptance::new(user.user_id, kind, account_terms, call.now, witness.clone(), rng).with_claim_of(number);
        let event = AuditEvent::by_user(user.user_id, EventKind::AccountClaimed, call.now, witness, rng).about(number);

        let mut transaction = Transaction::new();
        let free = Condition::All(vec![
            Condition::is("member_number", number)?,
            Condition::is("open", &true)?,
            Condition::Without("manager"),
        ]);
        let seat = transaction.update(establishment.key(), Change::new().set("manager", &manager)?, free);
        transaction.check(User::key_of(user.user_id), unmoved(user)?);
        transaction.put(&GrantMirror(grant.clone()), None)?;
        transaction.put(&grant, None)?;
        transaction.put(&proof(user, establishment, call), None)?;
        transaction.create(&acceptance)?;
        transaction.create(&event)?;
        transaction.create(&Outbox::new(Id::random(rng), confirmation, call.now))?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(None),
            Outcome::Refused(refused) if refused.failed(seat) => {
                let taken = refused.existing::<Establishment>(seat)?.and_then(|establishment| establishment.manager);
                taken.map(Some).ok_or(Problem::ClaimRefused)
            }
            Outcome::Refused(_) => Err(moved()),
        }
    }

    /// Names the manager to who entered the right number, and remembers that they did, unless they leave
    /// the establishment at this moment: what they proved there must not outlast it.
    pub(crate) async fn already_managed(
        &self,
        user: &User,
        establishment: &Establishment,
        manager: &Manager,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let mut transaction = Transaction::new();
        transaction.check(User::key_of(user.user_id), unmoved(user)?);
        transaction.put(&proof(user, establishment, call), None)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => {
                Err(Problem::AlreadyManaged { civility: manager.civility, last_name: manager.last_name.clone() })
            }
            Outcome::Refused(_) => Err(moved()),
        }
    }
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

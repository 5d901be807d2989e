//! `POST /api/accounts/{number}/users`: an address gets access, or several at once, all or none of them.

use futures::future::join;
use portal::domain::{Email, Refusal, fund_day};
use portal::http::{Answer, Call, Form, Idempotency, Problem};
use portal::security::AccountDoor;
use portal::store::{
    Account, AccountUsers, Change, Condition, Establishment, Outcome, Record as _, Role, Step, Transaction, User,
};
use rand::CryptoRng;
use serde_json::json;

use crate::effect::{Effect, Giver};
use crate::{Function, MOST_ATTEMPTS, out_of_the_seat, seated, unchanged};

/// How many addresses one request may name: each takes four writes beside five that are common, so they fit into
/// one transaction of 100; so does one that is invited already. An address whose owner asked for access takes six, or
/// eight.
const MOST_ADDRESSES: usize = 20;

/// How many people may have access to an account or be invited to it, so that the list of them is always an answer: of
/// some 1.5 kB each at worst, with 100 requests beside them, it is far from the 6 MB that Lambda carries.
const MOST_PEOPLE: usize = 1_000;

impl Function {
    /// Looks at the account's own users, which its manager can list, and at nothing else: an address that has
    /// a space and one that has none take the same calls.
    pub(crate) async fn invite(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // Read now, so that the first answer is fetched in the same wait; reported in its turn.
        let repeat = Idempotency::of(call, Some(visit.session.user_id));
        let asked = repeat.as_ref().ok().and_then(|repeat| repeat.ask(&mut batch));
        let users = AccountUsers::of(&self.store, &visit.number);
        let (fetched, users) = join(self.store.fetch(batch), users).await;
        let mut fetched = fetched?;
        let door = visit.enter_as_manager(&self.store, &mut fetched, call.now).await?;
        let emails = addresses(call.form()?)?;
        let repeat = repeat?;
        if let Some(first) = repeat.recall(asked.as_ref(), &mut fetched)? {
            return first.or(Problem::ManagerOnly);
        }
        let users = users?;
        let people = self.people(&users, &door.caller.user).await?;
        let wanted = emails.into_iter().map(|email| {
            let effect = Effect::of(&email, &people, &users);
            (email, effect)
        });
        let wanted: Vec<_> = wanted.collect();
        let more = wanted.iter().filter(|(_, effect)| effect.is_new()).count();
        if users.grants.len() + users.invitations.len() + more > MOST_PEOPLE {
            let field = if wanted.len() > 1 { "emails" } else { "email" };
            return Err(Problem::field(field, too_many_people()));
        }
        self.give(wanted, door, &repeat, call, rng).await
    }

    /// Access, mails, evidence and answer are one transaction, which demands that the caller still sits in the
    /// manager's seat of an open account.
    async fn give(
        &self,
        mut wanted: Vec<(Email, Effect)>,
        door: AccountDoor,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let answer = taken(wanted.len() > 1, call)?;
        let AccountDoor { caller, grant, mut account } = door;
        let user = &caller.user;
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let manager = transaction.check(grant.key(), Condition::is("role", &Role::Manager)?);
            let mut in_the_seat = seated(user.user_id, &account, call.now)?;
            in_the_seat.push(Establishment::open_on(fund_day(call.now))?);
            let seat = transaction.check(Establishment::key_of(&account.siret), Condition::All(in_the_seat));
            let same_account = transaction.check(account.key(), unchanged(&account)?);
            // Whoever erases themselves moves the epoch first: nobody is invited to an account that they leave.
            let this_epoch = Condition::is("epoch", &user.epoch)?;
            let same_user =
                transaction.update(User::key_of(user.user_id), Change::new().add("dealings", 1), this_epoch);
            let giver = Giver { manager: user, account: &account, call };
            let mut steps: Vec<Vec<Step>> = Vec::new();
            for (email, effect) in &wanted {
                steps.push(effect.write(email, &giver, &mut transaction, rng)?);
            }
            let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
            if transaction.len() > Transaction::MOST {
                return Err(too_many_requests());
            }
            let committed = self.store.commit(&transaction, rng).await;
            let refused = match committed.map_err(|error| repeat.failure(error))? {
                Outcome::Committed => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                return first.or(Problem::ManagerOnly);
            }
            if refused.failed(same_user) {
                return Err(Problem::AuthenticationRequired);
            }
            if refused.failed(same_account)
                && let Some(changed) = refused.existing::<Account>(same_account)?
            {
                account = changed;
            } else if refused.failed(manager) || refused.failed(seat) {
                return Err(out_of_the_seat(refused.existing(seat)?.as_ref(), user.user_id, call.now));
            } else {
                // Another request gave the address access at this moment, or it had access, or asked for it,
                // when this one looked, and that has ended or become access since: there is nothing left to do.
                for ((_, effect), steps) in wanted.iter_mut().zip(steps) {
                    if steps.into_iter().any(|step| refused.failed(step)) {
                        *effect = Effect::Nothing;
                    }
                }
            }
        }
        Err(Problem::TryAgain { context: "the account changes all the time".to_owned() })
    }
}

/// One address, as `email`, or several, as `emails`; each once.
fn addresses(mut form: Form) -> Result<Vec<Email>, Problem> {
    let several = form.has("emails");
    if several && form.has("email") {
        let refusal = Refusal::new(
            "either-or",
            "Donnez soit une adresse (email), soit plusieurs (emails).",
            "Give either one address (email) or several (emails).",
        );
        form.text("email", Email::parse);
        form.refuse::<()>("emails", refusal);
    }
    let emails = if several {
        form.list("emails", MOST_ADDRESSES, Email::parse)
    } else {
        form.text("email", Email::parse).map(|email| vec![email])
    };
    let (emails,) = form.finish((emails,))?;
    let mut each: Vec<Email> = Vec::new();
    for email in emails {
        if !each.contains(&email) {
            each.push(email);
        }
    }
    Ok(each)
}

fn too_many_people() -> Refusal {
    Refusal::new(
        "too-many-people",
        "Mille personnes au plus ont accès à un compte ou y sont invitées : retirez d’abord des accès.",
        "At most a thousand people have access to an account or are invited to it: take access back first.",
    )
}

fn too_many_requests() -> Problem {
    let refusal = Refusal::new(
        "too-many-requests",
        "Trop de ces adresses ont demandé l’accès : donnez-le-leur à part, à dix au plus à la fois.",
        "Too many of these addresses asked for access: give it to them apart, to at most ten at a time.",
    );
    Problem::field("emails", refusal)
}

/// The same whatever the addresses are.
fn taken(several: bool, call: &Call) -> Result<Answer, Problem> {
    let message = if several {
        call.language.choose(
            "Ces adresses ont accès au compte adhérent ; un e-mail en informe leurs titulaires.",
            "These addresses have access to the member account; a mail tells their owners.",
        )
    } else {
        call.language.choose(
            "Cette adresse a accès au compte adhérent ; un e-mail en informe son titulaire.",
            "This address has access to the member account; a mail tells its owner.",
        )
    };
    Answer::accepted(&json!({"message": message}))
}

//! `POST /api/access-requests`: who is of an establishment that has a manager asks them for access.
//!
//! Whoever merely typed the SIRET learns nothing about the manager by it, and nothing about the account: the
//! answer is the same whether they ask for the first time, again, or have access already
//! (`docs/decisions/0060-asking-for-access.md`).

use futures::future::join;
use portal::domain::{Id, MemberNumber, Message, fund_day};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Idempotency, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, OwnEstablishment};
use portal::store::{
    AccessRequest, AccessRequestMirror, AddressHash, AuditEvent, Batch, Condition, Establishment, EventKind, Grant,
    Invitation, Outbox, Outcome, Record as _, RequestCount, Rights, Step, Store, StoreError, Table, Transaction, User,
    Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

/// How often others may come between before a request gives up.
const MOST_ATTEMPTS: usize = 10;

/// The function `request-access`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
}

impl HttpFunction for Function {
    const NAME: &'static str = "request-access";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        self.ask(call, &mut rng()).await
    }
}

/// Who asks, with what, and what they have already.
struct Asked {
    user: User,
    establishment: Option<Establishment>,
    rights: Rights,
    message: Option<Message>,
}

impl Function {
    async fn ask(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        // Read now, so that the first answer is fetched in the same wait; reported in its turn.
        let message = message(call);
        let repeat = Idempotency::of(call, Some(ticket.claims.sub));
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let establishment = OwnEstablishment::ask(&mut batch, &ticket);
        let asked = repeat.as_ref().ok().and_then(|repeat| repeat.ask(&mut batch));
        let rights = Rights::of(&self.store, ticket.claims.sub);
        let (fetched, rights) = join(self.store.fetch(batch), rights).await;
        let mut fetched = fetched?;
        let user = ticket.admit(&keys, &mut fetched, call.now)?.user;
        let (message, repeat, rights) = (message?, repeat?, rights?);
        if let Some(first) = repeat.recall(asked.as_ref(), &mut fetched)? {
            return first.or(Problem::NoManager);
        }
        let establishment = establishment.of(&user, &mut fetched, &self.store).await?;
        self.decide(Asked { user, establishment, rights, message }, &repeat, call, rng).await
    }

    /// Request, word to the manager, evidence and answer are one transaction, which demands that the manager
    /// sits there, and that who asks is still of the establishment and has no access.
    async fn decide(
        &self,
        asked: Asked,
        repeat: &Idempotency,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let answer = taken(call)?;
        let Asked { user, mut establishment, rights: Rights { grants, requests: mut seen, .. }, message } = asked;
        let user = &user;
        let mut full: Option<RequestCount> = None;
        let today = fund_day(call.now);
        for _ in 0..MOST_ATTEMPTS {
            let seat = establishment.as_ref().ok_or(Problem::NoManager)?;
            let number = &seat.member_number;
            if grants.iter().any(|grant| grant.member_number == *number) {
                return Ok(answer);
            }
            let manager = seat.manager.as_ref().filter(|_| seat.is_open(today)).ok_or(Problem::NoManager)?;
            let before = seen.iter().find(|request| request.member_number == *number);
            let mut transaction = Transaction::new();
            let seated = vec![
                Condition::is("member_number", number)?,
                Establishment::open_on(today)?,
                Condition::is("manager.user_id", &manager.user_id)?,
            ];
            let seated = transaction.check(seat.key(), Condition::All(seated));
            let same = vec![Condition::is("epoch", &user.epoch)?, Condition::is("siret", &user.siret)?];
            let same_user = transaction.check(user.key(), Condition::All(same));
            let place = Invitation::key_of(number, &AddressHash::of(&user.email));
            let access = [
                transaction.check(Grant::key_of(user.user_id, number), Condition::Absent),
                transaction.check(place, Invitation::none_open(call.now)?),
            ];
            let (request, counted) = match before {
                None => {
                    // Told as anybody: how many ask is the manager's to know.
                    let counted = self.count(number, full.take(), &mut transaction).await?;
                    let Some(counted) = counted else { return Ok(answer) };
                    (first(user, seat, message.clone(), call, rng, &mut transaction)?, Some(counted))
                }
                Some(before) => (again(before, message.clone(), call, rng, &mut transaction)?, None),
            };
            let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
            let committed = self.store.commit(&transaction, rng).await;
            let refused = match committed.map_err(|error| repeat.failure(error))? {
                Outcome::Committed => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                return first.or(Problem::NoManager);
            }
            if refused.failed(same_user) {
                return Err(Problem::TryAgain { context: "the user changed meanwhile".to_owned() });
            }
            if access.into_iter().any(|step| refused.failed(step)) {
                return Ok(answer);
            }
            if refused.failed(seated) {
                establishment = refused.existing(seated)?;
            }
            if refused.failed(request) {
                seen = refused.existing(request)?.into_iter().collect();
            }
            if let Some(counted) = counted.filter(|counted| refused.failed(*counted)) {
                full = refused.existing(counted)?;
            }
        }
        Err(Problem::TryAgain { context: "the account changes all the time".to_owned() })
    }

    /// Counts a first request; `None` where as many are open as there may be. They are looked at only where the count
    /// says that it is `full`.
    async fn count(
        &self,
        number: &MemberNumber,
        full: Option<RequestCount>,
        transaction: &mut Transaction,
    ) -> Result<Option<Step>, StoreError> {
        let Some(full) = full else { return RequestCount::one_more(number, transaction).map(Some) };
        let open: Vec<AccessRequest> = self.store.query_all(&AccessRequest::all_for(number)).await?;
        full.recounted(open.len(), transaction)
    }
}

fn message(call: &Call) -> Result<Option<Message>, Problem> {
    let mut form = call.form()?;
    let message = form.optional("message", Message::parse);
    form.finish((message,)).map(|(message,)| message)
}

/// Asks for the first time. The step is refused where they asked already.
fn first(
    user: &User,
    seat: &Establishment,
    message: Option<Message>,
    call: &Call,
    rng: &mut impl CryptoRng,
    transaction: &mut Transaction,
) -> Result<Step, StoreError> {
    let request = AccessRequest {
        request_id: Id::random(rng),
        user_id: user.user_id,
        member_number: seat.member_number.clone(),
        siret: seat.siret.clone(),
        message,
        since: call.now,
        told_at: call.now,
    };
    let witness = Witness::of_call(call, &user.seal_key, rng)?;
    let event = AuditEvent::by_user(user.user_id, EventKind::AccessRequested, call.now, witness);
    transaction.create(&event.about(&seat.member_number))?;
    tell_manager(&request, call, rng, transaction)?;
    transaction.put(&AccessRequestMirror(request.clone()), None)?;
    transaction.create(&request)
}

/// Asks again: with another message, and, a day after the manager was told, with another mail.
fn again(
    before: &AccessRequest,
    message: Option<Message>,
    call: &Call,
    rng: &mut impl CryptoRng,
    transaction: &mut Transaction,
) -> Result<Step, StoreError> {
    let mut request = before.clone();
    request.message = message.or(request.message);
    if before.may_remind(call.now) {
        request.told_at = call.now;
        tell_manager(&request, call, rng, transaction)?;
    }
    // Of those who remind at once, one does.
    let as_read = vec![before.same()?, Condition::is("told_at", &before.told_at.as_millisecond())?];
    transaction.put(&AccessRequestMirror(request.clone()), None)?;
    transaction.put(&request, Some(Condition::All(as_read)))
}

fn tell_manager(
    request: &AccessRequest,
    call: &Call,
    rng: &mut impl CryptoRng,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let wish = Wish::AccessRequested { user_id: request.user_id, member_number: request.member_number.clone() };
    transaction.create(&Outbox::new(Id::random(rng), wish, call.now)).map(drop)
}

/// The same whatever there was before.
fn taken(call: &Call) -> Result<Answer, Problem> {
    let message = call.language.choose(
        "Votre demande est transmise au gestionnaire du compte adhérent de votre établissement.",
        "Your request goes to the manager of your establishment's member account.",
    );
    Answer::accepted(&json!({"message": message}))
}

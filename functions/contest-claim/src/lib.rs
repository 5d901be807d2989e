//! `POST /api/manager-claims/contest`: « Ce n’est pas normal », with the link that was mailed to whoever belongs to
//! the establishment. Whoever holds the token need not be signed in.
//!
//! A contest alerts the staff and freezes the establishment: no access is given and the role does not move until
//! they decide. Reading, taking access back and leaving go on. A second link, of a colleague, adds its voice to the
//! contest that there is.

use jiff::Timestamp;
use portal::domain::Id;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::lambda::HttpFunction;
use portal::security::LinkToken;
use portal::store::{
    Alert, AlertKind, AuditEvent, Batch, BoundWitness, Change, Condition, Contest, ContestLink, Contested,
    Establishment, EventKind, Outbox, Outcome, Record as _, Store, StoreError, Table, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

/// How often a link is looked at again because somebody of the establishment was faster.
const MOST_ATTEMPTS: usize = 20;

/// The function `contest-claim`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "contest-claim";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        self.contest(call, &mut rng()).await
    }
}

/// A link that can be used, with what it is about.
struct Usable {
    link: ContestLink,
    /// Where it was mailed to a user.
    reader: Option<User>,
    manager: User,
    /// The contest that there is already.
    contested: Option<Contested>,
}

impl Function {
    async fn contest(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let token = form.verbatim("token");
        let (token,) = form.finish((token,))?;
        for _ in 0..MOST_ATTEMPTS {
            let usable = self.usable(&token, call.now).await?;
            let transaction = usable.write(call, rng)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return taken(call),
                // Another link was used, somebody moved, or this one was used: looked at again.
                Outcome::Refused(_) => {}
            }
        }
        Err(Problem::TryAgain { context: "the establishment changed all the time".to_owned() })
    }

    /// The link of a token: one answer for used, expired, malformed, foreign, for one whose claim is over, and for
    /// one of somebody who does not belong to the establishment any more.
    async fn usable(&self, token: &str, now: Timestamp) -> Result<Usable, Problem> {
        let token = LinkToken::parse(token).ok_or(Problem::LinkInvalid(MailedLink::Contest))?;
        let link: Option<ContestLink> = self.store.get(&ContestLink::key_of(token.hashed().as_str())).await?;
        let link = link.filter(|link| now < link.expires_at).ok_or(Problem::LinkInvalid(MailedLink::Contest))?;
        let seat: Option<Establishment> = self.store.get(&Establishment::key_of(&link.claim.siret)).await?;
        let seat = seat.filter(|seat| link.claim.stands(seat)).ok_or(Problem::LinkInvalid(MailedLink::Contest))?;
        let manager = seat.manager.ok_or(Problem::LinkInvalid(MailedLink::Contest))?;
        let mut batch = Batch::new();
        let manager = batch.want::<User>(User::key_of(manager.user_id));
        let reader = link.reader.map(|user_id| batch.want::<User>(User::key_of(user_id)));
        let mut fetched = self.store.fetch(batch).await?;
        let manager = fetched.take(&manager)?.ok_or(Problem::LinkInvalid(MailedLink::Contest))?;
        let reader = match reader {
            Some(reader) => {
                let reader = fetched.take(&reader)?.filter(|reader| reader.siret == link.claim.siret);
                Some(reader.ok_or(Problem::LinkInvalid(MailedLink::Contest))?)
            }
            None => None,
        };
        Ok(Usable { link, reader, manager, contested: seat.contested })
    }
}

impl Usable {
    /// Link, freeze, record, alert and evidence in one.
    fn write(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Transaction, StoreError> {
        let claim = &self.link.claim;
        let mut transaction = Transaction::new();
        let unused = Condition::above("expires_at", &call.now.as_millisecond())?;
        transaction.delete(self.link.key(), Some(unused));
        if let Some(reader) = &self.reader {
            transaction.check(reader.key(), Condition::is("siret", &claim.siret)?);
        }
        let seat = Establishment::key_of(&claim.siret);
        let mut unmoved = claim.still_stands()?;
        let contest_id = match &self.contested {
            Some(contested) => {
                unmoved.push(Condition::is("contested", contested)?);
                transaction.check(seat, Condition::All(unmoved));
                transaction.update(Contest::key_of(contested), Change::new().add("voices", 1), Condition::Exists);
                contested.contest_id
            }
            None => {
                let contest = Contest {
                    contest_id: Id::random(rng),
                    at: call.now,
                    claim: claim.clone(),
                    manager: self.manager.user_id,
                    by: self.link.reader,
                    voices: 1,
                    outcome: None,
                };
                unmoved.push(Condition::Without("contested"));
                let freeze = Change::new().set("contested", &contest.mark())?;
                transaction.update(seat, freeze, Condition::All(unmoved));
                transaction.create(&contest)?;
                let kind = AlertKind::ClaimContested { contest_id: contest.contest_id };
                Alert::new(&claim.siret, kind, call.now, rng).raise(&mut transaction)?;
                let alert = Wish::ContestAlert { claim: claim.clone(), manager: self.manager.user_id };
                transaction.create(&Outbox::new(Id::random(rng), alert, call.now))?;
                contest.contest_id
            }
        };
        let event = AuditEvent::by_whoever(
            self.manager.user_id,
            self.link.reader,
            EventKind::ClaimContested,
            call.now,
            self.witness(call, rng)?,
        );
        let event = event.about(&claim.member_number).with_detail(format!("contest {contest_id}"));
        transaction.create(&event)?;
        Ok(transaction)
    }

    /// Sealed under the key of whoever contests. The contact on the fund's file has none, and where they sat is no
    /// business of the manager, whose key there is: of them nothing is kept but the request.
    fn witness(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<BoundWitness, StoreError> {
        match &self.reader {
            Some(reader) => Witness::of_call(call, &reader.seal_key, rng),
            None => Witness::seal(&call.request_id, None, None, &self.manager.seal_key, rng),
        }
    }
}

fn taken(call: &Call) -> Result<Answer, Problem> {
    let message = call.language.choose(
        "Votre signalement est enregistré ; les services de Constructys vont vérifier.",
        "Your report is recorded; the fund's staff will check.",
    );
    Answer::accepted(&json!({"message": message}))
}

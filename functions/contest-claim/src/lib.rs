//! `POST /api/manager-claims/contest`: « Ce n’est pas normal », with the link that was mailed to the contact on the
//! fund's file, and to those whom a claim concerns. Whoever holds the token need not be signed in.
//!
//! The link of the contact, of who has access and of who proved the number freezes: the staff are alerted, no access is
//! given, and the role does not move until they decide, whether the manager is still there or has left. A second link
//! adds its voice to the contest that there is. The link of who merely has the SIRET, or of a claim that another has
//! followed, tells the staff and freezes nothing.

use jiff::Timestamp;
use portal::domain::Id;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::lambda::HttpFunction;
use portal::security::{LinkToken, SealKey};
use portal::store::{
    Account, Alert, AlertKind, AuditEvent, Batch, BoundWitness, Change, ClaimOf, Condition, Contest, ContestLink,
    Establishment, EventKind, Outbox, Outcome, Record as _, Store, StoreError, Table, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

/// How often a link is looked at again because somebody of the establishment was faster.
const MOST_ATTEMPTS: usize = 20;

const INVALID: Problem = Problem::LinkInvalid(MailedLink::Contest);

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
    /// Where the account stands now, under whatever SIRET; none while it has lost its own to another account.
    seat: Option<Establishment>,
    /// Who has the role by that claim, or claimed.
    manager: Id,
    /// Unless they were erased.
    manager_key: Option<SealKey>,
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

    /// The link of a token: one answer for used, expired, malformed, foreign, for one whose claim the staff found to be
    /// right, and for one of somebody who does not belong to the establishment any more.
    async fn usable(&self, token: &str, now: Timestamp) -> Result<Usable, Problem> {
        let token = LinkToken::parse(token).ok_or(INVALID)?;
        let link: Option<ContestLink> = self.store.get(&ContestLink::key_of(token.hashed().as_str())).await?;
        let link = link.filter(|link| now < link.expires_at).ok_or(INVALID)?;
        let account: Option<Account> = self.store.get(&Account::key_of(&link.claim.member_number)).await?;
        let account = account.ok_or(INVALID)?;
        let seat: Option<Establishment> = self.store.get(&Establishment::key_of(&account.siret)).await?;
        let seat = seat.filter(|seat| seat.member_number == account.member_number);
        let claims = seat.as_ref().map(|seat| &seat.claims);
        let claims = claims.or(account.parked.as_ref().map(|parked| &parked.claims));
        let claimed = claims.and_then(|claims| claims.of(link.claim.since)).filter(|claimed| !claimed.dismissed);
        let claimed = claimed.ok_or(INVALID)?;
        let sits = seat.as_ref().filter(|seat| link.claim.stands(seat)).and_then(|seat| seat.manager.as_ref());
        let manager = sits.map_or(claimed.user_id, |sits| sits.user_id);

        let mut batch = Batch::new();
        let manager_item = batch.want::<User>(User::key_of(manager));
        let reader = link.reader.map(|user_id| batch.want::<User>(User::key_of(user_id)));
        let mut fetched = self.store.fetch(batch).await?;
        let manager_key = fetched.take(&manager_item)?.map(|manager| manager.seal_key);
        let belongs =
            |reader: &User| !link.of_establishment || reader.siret == link.claim.siret || reader.siret == account.siret;
        let reader = match reader {
            Some(reader) => Some(fetched.take(&reader)?.filter(belongs).ok_or(INVALID)?),
            None => None,
        };
        Ok(Usable { link, reader, seat, manager, manager_key })
    }
}

impl Usable {
    /// Link, freeze or doubt, record, alert and evidence in one.
    fn write(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Transaction, StoreError> {
        let claim = &self.link.claim;
        let mut transaction = Transaction::new();
        let unused = Condition::above("expires_at", &call.now.as_millisecond())?;
        transaction.delete(self.link.key(), Some(unused));
        if let Some(reader) = &self.reader {
            transaction.check(reader.key(), Condition::is("siret", &reader.siret)?);
        }
        let (kind, detail) = match &self.seat {
            None => self.doubt(None, call, &mut transaction, rng)?,
            Some(seat) => match &seat.contested {
                Some(contested) if self.concerns(seat) => {
                    transaction.check(seat.key(), seat.as_seen()?);
                    transaction.update(Contest::key_of(contested), Change::new().add("voices", 1), Condition::Exists);
                    (EventKind::ClaimContested, format!("contest {}", contested.contest_id))
                }
                None if self.link.freezes && self.concerns(seat) => self.freeze(seat, call, &mut transaction, rng)?,
                _ => self.doubt(Some(seat), call, &mut transaction, rng)?,
            },
        };
        let witness = self.witness(call, rng)?;
        let event = AuditEvent::by_whoever(self.manager, self.link.reader, kind, call.now, witness);
        event.about(&claim.member_number).with_detail(detail).create_with_account(&mut transaction)?;
        Ok(transaction)
    }

    /// Whether what freezes now meets whose claim it is about: nobody else claimed since.
    fn concerns(&self, seat: &Establishment) -> bool {
        self.link.claim.stands(seat) || seat.manager.is_none()
    }

    fn freeze(
        &self,
        seat: &Establishment,
        call: &Call,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<(EventKind, String), StoreError> {
        let claim = ClaimOf { siret: seat.siret.clone(), ..self.link.claim.clone() };
        let contest = Contest {
            contest_id: Id::random(rng),
            at: call.now,
            claim: claim.clone(),
            manager: self.manager,
            by: self.link.reader,
            voices: 1,
            outcome: None,
        };
        transaction.update(seat.key(), Change::new().set("contested", &contest.mark())?, seat.as_seen()?);
        transaction.create(&contest)?;
        let kind = AlertKind::ClaimContested { contest_id: contest.contest_id };
        Alert::new(&claim.siret, kind, call.now, rng).raise(transaction)?;
        let alert = Wish::ContestAlert { claim, manager: self.manager, freezes: true };
        transaction.create(&Outbox::new(Id::random(rng), alert, call.now))?;
        Ok((EventKind::ClaimContested, format!("contest {}", contest.contest_id)))
    }

    /// A voice for the staff: they are alerted by the first about a claim, and look the number of them up.
    fn doubt(
        &self,
        seat: Option<&Establishment>,
        call: &Call,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<(EventKind, String), StoreError> {
        let claim = &self.link.claim;
        let mut is_first = true;
        if let Some(seat) = seat {
            is_first = seat.claims.of(claim.since).is_some_and(|claimed| claimed.doubts == 0);
            let doubted = Change::new().set("claims", &seat.claims.doubted(claim.since))?;
            transaction.update(seat.key(), doubted, seat.as_seen()?);
        }
        if is_first {
            let siret = seat.map_or(&claim.siret, |seat| &seat.siret);
            let kind = AlertKind::ClaimDoubted { user_id: self.manager };
            Alert::new(siret, kind, call.now, rng).raise(transaction)?;
            let claim = ClaimOf { siret: siret.clone(), ..claim.clone() };
            let alert = Wish::ContestAlert { claim, manager: self.manager, freezes: false };
            transaction.create(&Outbox::new(Id::random(rng), alert, call.now))?;
        }
        Ok((EventKind::ClaimDoubted, "doubt".to_owned()))
    }

    /// Sealed under the key of whoever contests. The contact on the fund's file has none, and where they sat is no
    /// business of the manager, whose key there is: of them nothing is kept but the request.
    fn witness(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<BoundWitness, StoreError> {
        match &self.reader {
            Some(reader) => Witness::of_call(call, &reader.seal_key, rng),
            None => {
                let erased = || SealKey::random(rng);
                let key = self.manager_key.clone().unwrap_or_else(erased);
                Witness::seal(&call.request_id, None, None, &key, rng)
            }
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

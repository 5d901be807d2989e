//! `POST /api/manager-claims`: « Devenir gestionnaire » (leaflet S49-S56).
//!
//! The member number has to be the one of the caller's own establishment. However many claim at once,
//! one succeeds: the establishment's item has one seat, and it is taken in a transaction that demands
//! that it is free.

use jiff::civil::Date;
use portal::domain::{DocumentKind, DocumentReference, MemberNumber, fund_day};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Idempotency, MailedLink, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, LinkToken, OwnEstablishment, Ticket};
use portal::store::{
    Account, Batch, ClaimBar, CurrentDocument, Establishment, Guessed, Store, Table, User, Wanted, current_of,
};

mod guesses;
mod limits;
mod seat;

use guesses::GuessKeys;
use seat::RightClaim;

/// The function `claim-manager`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
}

impl HttpFunction for Function {
    const NAME: &'static str = "claim-manager";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        // Read now, so that the account is fetched in the same wait; reported in its turn.
        let claim = Claim::read(call);
        let repeat = Idempotency::of(call, Some(ticket.claims.sub));
        let mut batch = Batch::new();
        let ticket_keys = ticket.ask(&mut batch);
        let keys = Keys::ask(&mut batch, &ticket, claim.as_ref().ok());
        let first = repeat.as_ref().ok().and_then(|repeat| repeat.ask(&mut batch));
        let mut fetched = self.store.fetch(batch).await?;
        let user = ticket.admit(&ticket_keys, &mut fetched, call.now)?.user;

        let charter = current_of(DocumentKind::Charter, fetched.take(&keys.charter)?);
        // The charter comes before the form.
        let claim = match claim {
            Err(_) if user.owes(&charter) => return Err(Problem::CharterRequired),
            claim => claim?,
        };
        let repeat = repeat?;
        if let Some(first) = repeat.recall(first.as_ref(), &mut fetched)? {
            return first.or(Problem::ClaimRefused);
        }
        let establishment = keys.establishment.of(&user, &mut fetched, &self.store).await?;
        let own = (&user, establishment.as_ref());
        let mut guesses = keys.guesses.of(own, &mut fetched, &self.store, call.now).await?;
        guesses.open(call.now)?;
        let account = keys.account.map(|account| fetched.take(&account)).transpose()?.flatten();
        let rng = &mut rng();
        let Some((establishment, account)) = owned(establishment, account, &claim, &user, fund_day(call.now)) else {
            return Err(self.count_failure(&user, &mut guesses, &repeat, call, rng).await?);
        };
        if user.owes(&charter) {
            return Err(self.refuse_right(&mut guesses, Problem::CharterRequired, call, rng).await?);
        }
        let terms = current_of(DocumentKind::AccountTerms, fetched.take(&keys.account_terms)?);
        if establishment.manager.is_none() && !terms.is(&claim.account_terms) {
            return Err(self.refuse_right(&mut guesses, Problem::DocumentOutdated, call, rng).await?);
        }
        let barred = keys.bar.map(|bar| fetched.take(&bar)).transpose()?.flatten().is_some();
        let right = RightClaim { user, establishment, account, account_terms: claim.account_terms, barred };
        self.decide(right, guesses, &repeat, call, rng).await
    }
}

/// What the caller claims.
struct Claim {
    member_number: MemberNumber,
    account_terms: DocumentReference,
    /// The pass that lets this claim through although too many failed.
    token: Option<LinkToken>,
}

impl Claim {
    fn read(call: &Call) -> Result<Self, Problem> {
        let mut form = call.form()?;
        let member_number = form.text("member_number", MemberNumber::parse);
        let account_terms = form.document("account_terms");
        let token = form.optional("token", |text| Ok(LinkToken::parse(text)));
        let (member_number, account_terms, token) = form.finish((member_number, account_terms, token))?;
        let token = match token {
            Some(None) => return Err(Problem::LinkInvalid(MailedLink::ClaimPass)),
            Some(token) => token,
            None => None,
        };
        Ok(Self { member_number, account_terms, token })
    }
}

/// What the claim needs to know, beside who is calling.
struct Keys {
    charter: Wanted<CurrentDocument>,
    account_terms: Wanted<CurrentDocument>,
    establishment: OwnEstablishment,
    account: Option<Wanted<Account>>,
    bar: Option<Wanted<ClaimBar>>,
    guesses: GuessKeys,
}

impl Keys {
    fn ask(batch: &mut Batch, ticket: &Ticket, claim: Option<&Claim>) -> Self {
        let by_user = Guessed::MemberNumberBy { user_id: ticket.claims.sub };
        let of_establishment = Guessed::MemberNumberOf { siret: ticket.claims.siret.clone() };
        let token = claim.and_then(|claim| claim.token.as_ref());
        Self {
            charter: batch.want(CurrentDocument::key_of(DocumentKind::Charter)),
            account_terms: batch.want(CurrentDocument::key_of(DocumentKind::AccountTerms)),
            establishment: OwnEstablishment::ask(batch, ticket),
            account: claim.map(|claim| batch.want(Account::key_of(&claim.member_number))),
            bar: claim.map(|claim| batch.want(ClaimBar::key_of(ticket.claims.sub, &claim.member_number))),
            guesses: GuessKeys::ask(batch, by_user, of_establishment, token),
        }
    }
}

/// The establishment and its account, where the number is that of its open account. One answer for a wrong number,
/// another establishment's, an unknown one and a closed account.
fn owned(
    establishment: Option<Establishment>,
    account: Option<Account>,
    claim: &Claim,
    user: &User,
    today: Date,
) -> Option<(Establishment, Account)> {
    let (establishment, account) = (establishment?, account?);
    let same = establishment.member_number == claim.member_number
        && account.member_number == claim.member_number
        && account.siret == user.siret;
    (same && establishment.is_open(today) && account.is_open(today)).then_some((establishment, account))
}

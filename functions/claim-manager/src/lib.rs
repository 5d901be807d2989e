//! `POST /api/manager-claims`: « Devenir gestionnaire » (leaflet S49-S56).
//!
//! The member number has to be the one of the caller's own establishment. However many claim at once,
//! one succeeds: the establishment's item has one seat, and it is taken in a transaction that demands
//! that it is free.

use portal::domain::{DocumentKind, DocumentReference, MemberNumber};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, OwnEstablishment, Ticket};
use portal::store::{Account, Batch, CurrentDocument, Establishment, Fetched, Store, Table, User, Wanted, current_of};
use serde_json::json;

mod seat;

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
        let mut batch = Batch::new();
        let ticket_keys = ticket.ask(&mut batch);
        let keys = Keys::ask(&mut batch, &ticket, claim.as_ref().ok());
        let mut fetched = self.store.fetch(batch).await?;
        let user = ticket.admit(&ticket_keys, &mut fetched, call.now)?.user;

        let owned = match &claim {
            Ok(claim) => {
                let establishment = keys.establishment.of(&user, &mut fetched, &self.store).await?;
                Some(owned(establishment, keys.account(&mut fetched)?, claim, &user)?)
            }
            Err(_) => None,
        };
        let charter = current_of(DocumentKind::Charter, fetched.take(&keys.charter)?);
        if user.owes(&charter) {
            return Err(Problem::CharterRequired);
        }
        let claim = claim?;
        let establishment = owned.ok_or(Problem::ClaimRefused)?;
        let terms = current_of(DocumentKind::AccountTerms, fetched.take(&keys.account_terms)?);
        let seated = match &establishment.manager {
            Some(manager) => Some(manager.clone()),
            None if !terms.is(&claim.account_terms) => return Err(Problem::DocumentOutdated),
            None => self.take_seat(&user, &establishment, &claim.account_terms, call, &mut rng()).await?,
        };
        match seated {
            Some(manager) if manager.user_id != user.user_id => {
                self.already_managed(&user, &establishment, &manager, call, &mut rng()).await
            }
            // Theirs: taken just now, or before, as by a claim whose answer was lost.
            _ => Answer::created(&json!({"member_number": claim.member_number, "role": "manager"})),
        }
    }
}

/// What the caller claims.
struct Claim {
    member_number: MemberNumber,
    account_terms: DocumentReference,
}

impl Claim {
    fn read(call: &Call) -> Result<Self, Problem> {
        let mut form = call.form()?;
        let member_number = form.text("member_number", MemberNumber::parse);
        let account_terms = form.document("account_terms");
        let (member_number, account_terms) = form.finish((member_number, account_terms))?;
        Ok(Self { member_number, account_terms })
    }
}

/// What the claim needs to know, beside who is calling.
struct Keys {
    charter: Wanted<CurrentDocument>,
    account_terms: Wanted<CurrentDocument>,
    establishment: OwnEstablishment,
    account: Option<Wanted<Account>>,
}

impl Keys {
    fn ask(batch: &mut Batch, ticket: &Ticket, claim: Option<&Claim>) -> Self {
        Self {
            charter: batch.want(CurrentDocument::key_of(DocumentKind::Charter)),
            account_terms: batch.want(CurrentDocument::key_of(DocumentKind::AccountTerms)),
            establishment: OwnEstablishment::ask(batch, ticket),
            account: claim.map(|claim| batch.want(Account::key_of(&claim.member_number))),
        }
    }

    fn account(&self, fetched: &mut Fetched) -> Result<Option<Account>, Problem> {
        match &self.account {
            Some(account) => Ok(fetched.take(account)?),
            None => Ok(None),
        }
    }
}

/// The establishment, where the number is that of its open account. One answer for a wrong number,
/// another establishment's, an unknown one and a closed account.
fn owned(
    establishment: Option<Establishment>,
    account: Option<Account>,
    claim: &Claim,
    user: &User,
) -> Result<Establishment, Problem> {
    let (Some(establishment), Some(account)) = (establishment, account) else { return Err(Problem::ClaimRefused) };
    let same = establishment.member_number == claim.member_number
        && account.member_number == claim.member_number
        && account.siret == user.siret;
    if same && establishment.open && account.closed_on.is_none() {
        Ok(establishment)
    } else {
        Err(Problem::ClaimRefused)
    }
}

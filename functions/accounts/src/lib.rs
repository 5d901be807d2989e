//! The caller's member accounts: `GET /api/accounts`, and the manager's answer to « Souhaitez-vous
//! utiliser le compte adhérent ? » (leaflet S57), `PUT /api/accounts/{number}/activation`.

mod figures;
mod list;
mod order;
mod search;

use futures::future::try_join;
use portal::domain::MemberNumber;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, SymmetricKey};
use portal::store::{
    Account, AccountUsers, AuditEvent, Batch, Change, Condition, EventKind, Grant, InvitationMirror, Outcome,
    Record as _, Store, Table, Transaction, Witness,
};
use rand::CryptoRng;
use serde_json::{Value, json};

/// How many other answers may come while one is told; a manager has two hands.
const MOST_ANSWERS: usize = 10;

/// The function `accounts`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    cursor_key: SymmetricKey,
}

impl HttpFunction for Function {
    const NAME: &'static str = "accounts";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        // Side by side: a cold start waits once.
        let (gate, cursor_key) =
            (Gate::start(environment, &store), SymmetricKey::load(environment, "CURSOR_KEY_SECRET"));
        let (gate, cursor_key) = try_join(gate, cursor_key).await?;
        Ok(Self { gate, store, cursor_key })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts" => self.list(call).await,
            "PUT /api/accounts/{number}/activation" => self.activate(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

impl Function {
    async fn activate(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let door = visit.enter_as_manager(&self.store, &mut self.store.fetch(batch).await?, call.now).await?;
        let mut form = call.form()?;
        let active = form.boolean("use");
        let (active,) = form.finish((active,))?;

        let (number, user) = (&door.account.member_number, &door.caller.user);
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let answer = if active { "OUI" } else { "NON" };
        let event = AuditEvent::by_user(user.user_id, EventKind::ActivationChanged, call.now, witness)
            .about(number)
            .with_detail(answer);
        let mut transaction = Transaction::new();
        transaction.update(Account::key_of(number), Change::new().set("active", &active)?, Condition::Exists);
        // Still the manager at the moment of the answer.
        let manager = Condition::is("role", &door.grant.role)?;
        let own = Grant::key_of(user.user_id, number);
        transaction.update(own, Change::new().set("active", &active)?, manager);
        transaction.create(&event)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => {}
            Outcome::Refused(_) => return Err(Problem::ManagerOnly),
        }
        self.tell_lists(number, active).await?;
        Answer::ok(&shown(&Grant { active, ..door.grant }))
    }

    /// Brings the copies that lists show into step with the account, which alone opens the ledger.
    ///
    /// Another answer may have come meanwhile, and its copies before these: so whoever wrote copies looks
    /// at the account once more, and the last one to write leaves what it says.
    async fn tell_lists(&self, number: &MemberNumber, answer: bool) -> Result<(), Problem> {
        let mut told = answer;
        for _ in 0..MOST_ANSWERS {
            let users = AccountUsers::of(&self.store, number).await?;
            let granted = users
                .grants
                .iter()
                .flat_map(|grant| [Grant::key_of(grant.user_id, number), Grant::mirror_key_of(grant.user_id, number)]);
            let invited = users
                .invitations
                .into_iter()
                .flat_map(|invitation| [invitation.key(), InvitationMirror(invitation).key()]);
            let change = Change::new().set("active", &told)?;
            for key in granted.chain(invited) {
                self.store.update(&key, &change, Some(&Condition::Exists)).await?;
            }
            let mut batch = Batch::new();
            let account = batch.want::<Account>(Account::key_of(number));
            match self.store.fetch(batch).await?.take(&account)? {
                Some(account) if account.active != told => told = account.active,
                _ => return Ok(()),
            }
        }
        Err(Problem::TryAgain { context: "the answer changes all the time".to_owned() })
    }
}

fn shown(grant: &Grant) -> Value {
    json!({
        "member_number": grant.member_number,
        "siret": grant.siret,
        "name": grant.name,
        "role": grant.role,
        "active": grant.active,
    })
}

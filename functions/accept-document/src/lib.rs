//! `POST /api/acceptances`: « J'ai lu et j'accepte la charte » (leaflet S46).

use portal::domain::{DocumentKind, DocumentReference, Id, Refusal};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{
    Acceptance, AuditEvent, Batch, Change, Condition, CurrentDocument, EventKind, Outbox, Outcome, Store, Table,
    Transaction, User, Wish, Witness, current_of,
};
use serde_json::{Value, json};

/// The function `accept-document`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
}

impl HttpFunction for Function {
    const NAME: &'static str = "accept-document";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let charter = batch.want::<CurrentDocument>(CurrentDocument::key_of(DocumentKind::Charter));
        let terms = batch.want::<CurrentDocument>(CurrentDocument::key_of(DocumentKind::Terms));
        let mut fetched = self.store.fetch(batch).await?;
        let user = ticket.admit(&keys, &mut fetched, call.now)?.user;

        let mut form = call.form()?;
        let kind = form.text("kind", acceptable);
        let version = form.version("version");
        let sha256 = form.sha256("sha256");
        let (kind, version, sha256) = form.finish((kind, version, sha256))?;
        let stored = fetched.take(if kind == DocumentKind::Charter { &charter } else { &terms })?;
        let document = current_of(kind, stored);
        let reference = DocumentReference { version, sha256 };
        if !document.is(&reference) {
            return Err(Problem::DocumentOutdated);
        }

        let rng = &mut rng();
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let acceptance = Acceptance::new(user.user_id, kind, &reference, call.now, witness);
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::DocumentAccepted, call.now, witness)
            .with_detail(format!("{kind} {version}"));
        let mut transaction = Transaction::new();
        let recorded = transaction.create(&acceptance)?;
        transaction.create(&event)?;
        let wish = Wish::AcceptanceReceipt {
            email: user.email,
            civility: user.civility,
            last_name: user.last_name,
            receipt: acceptance.receipt(),
        };
        transaction.create(&Outbox::new(Id::random(rng), wish, call.now))?;
        // The user's item says what opens the member account, so that a read need not look for evidence.
        let unmoved = Condition::is("epoch", &user.epoch)?;
        if kind == DocumentKind::Charter {
            let opened = Change::new().set("accepted_charter", &version)?;
            // Never back to an older version, which a slow request may have read as the current one.
            let older = Condition::below("accepted_charter", &version)?;
            let forward = Condition::Any(vec![Condition::Without("accepted_charter"), older]);
            transaction.update(User::key_of(user.user_id), opened, Condition::All(vec![unmoved, forward]));
        } else {
            transaction.check(User::key_of(user.user_id), unmoved);
        }
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Answer::created(&receipt(&acceptance)),
            Outcome::Refused(refused) => match refused.existing::<Acceptance>(recorded)? {
                Some(first) => Answer::ok(&receipt(&first)),
                // The epoch moved, or a newer version was accepted: another look tells which.
                None => Err(Problem::TryAgain { context: "the user changed meanwhile".to_owned() }),
            },
        }
    }
}

fn receipt(acceptance: &Acceptance) -> Value {
    json!({
        "receipt_id": acceptance.receipt_id,
        "kind": acceptance.document,
        "version": acceptance.version,
        "sha256": acceptance.sha256,
        "accepted_at": acceptance.accepted_at,
    })
}

/// The documents that are accepted by themselves.
fn acceptable(text: &str) -> Result<DocumentKind, Refusal> {
    match DocumentKind::parse(text) {
        Some(DocumentKind::AccountTerms) => Err(Refusal::new(
            "accepted-with-claim",
            "Les conditions du compte adhérent s’acceptent en devenant gestionnaire.",
            "The terms of the member account are accepted with the manager claim.",
        )),
        Some(kind) => Ok(kind),
        None => Err(Refusal::new(
            "document-unknown",
            "Choisissez « charter » ou « terms ».",
            "Choose \"charter\" or \"terms\".",
        )),
    }
}

//! Sends the mails that the outbox asks for. Started by new items of the outbox, through the stream of
//! the identity table.
//!
//! For each wish: look up whom it concerns, hold it against the limit on mails, write down the link that
//! it carries (`admit`), hand the mail to SES (`deliver`), and mark the wish as done with. A crash at
//! any point is made good by the next attempt, which sends the same link; only one between SES and the
//! mark sends a mail twice.

mod address;
mod admit;
mod claims;
mod colleagues;
mod contact;
mod contest;
mod deliver;
mod ended;
mod invitation;
pub mod mails;
mod receipt;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use portal::domain::{Email, Id};
use portal::environment::{Environment, StartError, rng};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::log::Metric;
use portal::security::SymmetricKey;
use portal::store::{ContactTrouble, Delivery, Outbox, Store, StoreError, Table};
use serde_dynamo::AttributeValue;

use deliver::Postman;

/// The function `send-mail`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
    link_key: SymmetricKey,
    origin: String,
    staff: Email,
    postman: Postman,
}

/// Why a mail is not sent yet. The stream brings the wish again.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A template does not render: a defect.
    #[error("a mail cannot be rendered: {0}")]
    Template(#[from] askama::Error),
    /// SES did not take it; the text names no address.
    #[error("SES did not take the mail: {0}")]
    Ses(String),
    /// Others change the same address all the time.
    #[error("the wish was not admitted after many attempts")]
    Contention,
}

impl EventFunction for Function {
    const NAME: &'static str = "send-mail";
    type Event = Event;
    type Outcome = DynamoDbEventResponse;
    type Error = MailError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            environment: environment.clone(),
            store: Store::connect(environment, &[Table::Identity, Table::Members])?,
            link_key: SymmetricKey::load(environment, "LINK_KEY_SECRET").await?,
            origin: environment.variable("PORTAL_ORIGIN")?.to_owned(),
            staff: staff(environment)?,
            postman: Postman::start(environment)?,
        })
    }

    /// Reports the records whose wish is still open: the stream goes on from the first of them. What comes
    /// again behind it is done with, and passes at once.
    async fn handle(&self, event: Event) -> Result<DynamoDbEventResponse, MailError> {
        let mut response = DynamoDbEventResponse::default();
        for record in event.records {
            let Some(outbox_id) = outbox_id(&record) else { continue };
            if let Err(error) = self.fulfil(outbox_id).await {
                invocation::count(Metric::MailsFailed, 1);
                invocation::trouble(format!("outbox {outbox_id}: {error}"));
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = record.change.sequence_number;
                response.batch_item_failures.push(failure);
            }
        }
        Ok(response)
    }
}

impl Function {
    /// Does what one wish asks for, unless it is done with.
    async fn fulfil(&self, outbox_id: Id) -> Result<(), MailError> {
        let rng = &mut rng();
        let now = self.environment.clock.now();
        let Some(admitted) = self.admit(outbox_id, now, rng).await? else { return Ok(()) };
        let problem = self.problem_of(&admitted.address, now).await?;
        if let (Some(problem), Some(siret)) = (problem, admitted.contact_of()) {
            self.alert_of_contact(outbox_id, siret, contact::trouble(problem), now, rng).await?;
        }
        if let Some(problem) = problem.filter(|problem| !admitted.content.goes_in_spite_of(*problem)) {
            invocation::count(Metric::MailsHeldBack, 1);
            invocation::warn(format!("outbox {outbox_id}: not sent, {}", problem.as_str()));
            return self.ended(outbox_id, &admitted, Delivery::NotSent, Some(problem.as_str()), rng).await;
        }
        let mail = admitted.render(&self.origin)?;
        match self.postman.send(outbox_id, &admitted.address, &mail).await {
            Ok(()) => {
                invocation::count(Metric::MailsSent, 1);
                self.ended(outbox_id, &admitted, Delivery::Sent, None, rng).await
            }
            Err(refusal) if refusal.is_final => {
                invocation::count(Metric::MailsFailed, 1);
                invocation::count(Metric::MailsRefused, 1);
                invocation::trouble(format!("outbox {outbox_id}: refused by SES, {}", refusal.reason));
                if let Some(siret) = admitted.contact_of() {
                    self.alert_of_contact(outbox_id, siret, ContactTrouble::Refused, now, rng).await?;
                }
                self.ended(outbox_id, &admitted, Delivery::NotSent, Some("refused by SES"), rng).await
            }
            Err(refusal) => Err(MailError::Ses(refusal.reason)),
        }
    }
}

/// Where alerts to the fund's staff go.
fn staff(environment: &Environment) -> Result<Email, StartError> {
    let text = environment.variable("STAFF_EMAIL")?;
    Email::parse(text)
        .map_err(|refusal| StartError::InvalidVariable { name: "STAFF_EMAIL", reason: refusal.en.to_string() })
}

/// The outbox entry that a stream record is about, be it new or woken by the sweep.
fn outbox_id(record: &EventRecord) -> Option<Id> {
    match record.change.keys.get("pk") {
        Some(AttributeValue::S(pk)) => Outbox::id_of(pk),
        _ => None,
    }
}

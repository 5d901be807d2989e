//! What SES tells of mails: delivered, bounced, complained of, rejected. Started by the events that the
//! configuration set publishes on the bus.
//!
//! It marks the address, which `send-mail` looks at before each mail, and tells its owner by the log-in and the
//! home. An event that comes twice, late or in another order changes nothing
//! (`docs/decisions/0067-what-a-bounce-and-a-complaint-stop.md`).

mod event;

use jiff::Timestamp;
use portal::environment::{Environment, StartError, rng};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::store::{Alert, ContactTrouble, Correspondence, Delivery, Outcome, Store, StoreError, Table, Transaction};
use rand::CryptoRng;
use serde_json::{Value, json};

pub use event::Event;
use event::Told;

/// How often a lost race is run again before the bus brings the event back.
const MOST_ATTEMPTS: usize = 20;

/// The function `mail-feedback`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
}

impl EventFunction for Function {
    const NAME: &'static str = "mail-feedback";
    type Event = Event;
    type Outcome = Value;
    type Error = StoreError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { environment: environment.clone(), store: Store::connect(environment, &[Table::Identity])? })
    }

    async fn handle(&self, event: Event) -> Result<Value, StoreError> {
        let (email, feedback) = match event.told() {
            Told::Feedback(email, feedback) => (email, feedback),
            Told::Report(kind) => {
                // Whoever operates the portal shall know: a signature that fails, or a virus, is ours to mend.
                invocation::warn(format!("a report of type {kind}, which is no complaint"));
                return Ok(json!({"ignored": true}));
            }
            Told::Nothing => return Ok(json!({"ignored": true})),
        };
        let rng = &mut rng();
        for _ in 0..MOST_ATTEMPTS {
            let now = self.environment.clock.now();
            let seen = Correspondence::of(&self.store, &email, feedback.outbox_id, now).await?;
            let kind = seen.kind_on_its_way();
            let is_known = seen.state.mails.iter().any(|mail| Some(mail.outbox_id) == feedback.outbox_id);
            if feedback.delivery.is_arrival() && !is_known && kind.is_none() && seen.state.stopped.is_none() {
                // The last word to who was erased, or a mail that is told of no more: nothing to be noted.
                return Ok(json!({"ignored": true}));
            }
            if feedback.delivery == Delivery::Bounced {
                self.alert_of_contact(&seen, now, rng).await?;
            }
            let after = seen.state.with_feedback(&feedback, kind, now);
            let mut transaction = Transaction::new();
            seen.write(&after, &mut transaction)?;
            seen.write_outcome(feedback.delivery, &mut transaction)?;
            if let Outcome::Committed = self.store.commit(&transaction, rng).await? {
                if !feedback.delivery.is_arrival() {
                    let outbox_id = feedback.outbox_id.map(|id| id.to_string()).unwrap_or_default();
                    let (mail, why) = (feedback.delivery.as_str(), &feedback.reason);
                    invocation::warn(format!("outbox {outbox_id}: {mail}, {why}"));
                }
                return Ok(json!({"mail": feedback.delivery.as_str(), "stopped": after.problem()}));
            }
        }
        Err(StoreError::Contention)
    }
}

impl Function {
    /// Alerts the staff where the mail was to tell the contact on the fund's file of a claim: nobody there learns of it. An
    /// event that comes twice finds the alert.
    async fn alert_of_contact(
        &self,
        seen: &Correspondence,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StoreError> {
        let Some(outbox) = &seen.outbox else { return Ok(()) };
        let Some(siret) = &outbox.contact_of else { return Ok(()) };
        let mut transaction = Transaction::new();
        Alert::raise_of_contact(outbox.outbox_id, siret, ContactTrouble::Bounced, now, &mut transaction)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed | Outcome::Refused(_) => Ok(()),
        }
    }
}

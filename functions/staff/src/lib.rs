//! What the fund's own staff do to the portal. No route leads here: who may invoke the function is a
//! matter of IAM (docs/operations.md).
//!
//! An event is `{"operation": …, "staff": …, "reason": …}` and what the operation needs; each operation is
//! a file. What is refused is an answer, `{"error": {"code", "field", "message"}}`, so that a script sees
//! why; only a store that fails is a failed invocation.

mod allow_claim;
mod applications;
mod close_account;
mod dismiss_contest;
mod done;
mod fields;
mod lists;
mod look_up_establishment;
mod look_up_user;
mod mail_pass;
mod place;
mod publish_document;
mod publish_news;
mod release_manager;
mod resend_mail;
mod resume_mail;
mod withdraw_news;

use portal::environment::{Environment, StartError};
use portal::invocation;
use portal::lambda::EventFunction;
use portal::store::{Store, StoreError, Table};
use serde::Deserialize;
use serde_json::{Value, json};

use done::Done;
use fields::{Fields, Refused, Trouble};

/// The function `staff`.
#[derive(Clone)]
pub struct Function {
    environment: Environment,
    store: Store,
}

/// What can be asked for. Fields are read by the operation, which names the one that is wrong.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
enum Operation {
    PublishDocument(Fields),
    LookUpEstablishment(Fields),
    LookUpUser(Fields),
    ReleaseManager(Fields),
    DismissContest(Fields),
    AllowClaim(Fields),
    ResendMail(Fields),
    CloseAccount(Fields),
    ListContests(Fields),
    ListAlerts(Fields),
    ListWaiting(Fields),
    PublishNews(Fields),
    WithdrawNews(Fields),
    PutApplication(Fields),
    RemoveApplication(Fields),
    ResumeMail(Fields),
    MailPass(Fields),
}

impl EventFunction for Function {
    const NAME: &'static str = "staff";
    type Event = Value;
    type Outcome = Value;
    type Error = StoreError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        Ok(Self { environment: environment.clone(), store })
    }

    async fn handle(&self, event: Value) -> Result<Value, StoreError> {
        // Who acted, and why, is evidence and no matter of the log; nor is whom they looked up.
        let (answer, told) = match self.run(event).await {
            Ok(Done { answer, told }) => (answer, told),
            Err(Trouble::Refused(refused)) => (json!({"error": refused}), json!({"refused": refused.code})),
            Err(Trouble::Store(error)) => return Err(error),
        };
        invocation::tell("staff", told);
        Ok(answer)
    }
}

impl Function {
    async fn run(&self, event: Value) -> Result<Done, Trouble> {
        match Operation::deserialize(event).map_err(|error| unknown(&error))? {
            Operation::PublishDocument(fields) => self.publish_document(fields).await,
            Operation::LookUpEstablishment(fields) => self.look_up_establishment(fields).await,
            Operation::LookUpUser(fields) => self.look_up_user(fields).await,
            Operation::ReleaseManager(fields) => self.release_manager(fields).await,
            Operation::DismissContest(fields) => self.dismiss_contest(fields).await,
            Operation::AllowClaim(fields) => self.allow_claim(fields).await,
            Operation::ResendMail(fields) => self.resend_mail(fields).await,
            Operation::CloseAccount(fields) => self.close_account(fields).await,
            Operation::ListContests(fields) => self.list_contests(fields).await,
            Operation::ListAlerts(fields) => self.list_alerts(fields).await,
            Operation::ListWaiting(fields) => self.list_waiting(fields).await,
            Operation::PublishNews(fields) => self.publish_news(fields).await,
            Operation::WithdrawNews(fields) => self.withdraw_news(fields).await,
            Operation::PutApplication(fields) => self.put_application(fields).await,
            Operation::RemoveApplication(fields) => self.remove_application(fields).await,
            Operation::ResumeMail(fields) => self.resume_mail(fields).await,
            Operation::MailPass(fields) => self.mail_pass(fields).await,
        }
    }
}

/// All that is read before the operation's own fields is which operation it is.
fn unknown(error: &serde_json::Error) -> Refused {
    Refused::new(
        "operation-unknown",
        "operation",
        format!("Name one of the operations of docs/operations.md: {error}."),
    )
}

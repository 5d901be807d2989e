//! Where the cases of a flow are played: a portal with a line that can be struck, and who asks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{ACCOUNT, Faults, PASSWORD, Person, Place, Reply, Visitor, World};
use http::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::flows::Flow;

/// Who asks, where the flow is not about a new person each time.
pub(super) const EMAIL: &str = "jeanne@martin.example";

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) faults: Faults,
    /// Jeanne, as the flow needs her.
    jeanne: OnceCell<Arc<Visitor>>,
    /// Paul, who reads the account that she manages.
    paul: OnceCell<Arc<Visitor>>,
    /// The function whose calls are struck, and those of its first run.
    function: &'static str,
    places: Mutex<Option<BTreeSet<Place>>>,
}

impl Stage {
    pub(super) async fn set(flow: &Flow) -> Self {
        let (faults, options) = Faults::on_dynamodb();
        let world = World::start_with(options).await;
        // Else what becomes of a mail is told while it is still written that it was sent, or after.
        world.portal.tell_nothing_of_mails();
        // A cold start reads too; here it is over.
        world.portal.start_functions().await.unwrap();
        // What was booked a moment ago takes lists a second look, and a moment later none.
        world.advance(Duration::from_secs(120));
        Self {
            world,
            faults,
            jeanne: OnceCell::new(),
            paul: OnceCell::new(),
            function: flow.function,
            places: Mutex::default(),
        }
    }

    /// The calls of the first run.
    pub(super) fn places(&self) -> Vec<Place> {
        self.places.lock().unwrap().iter().flatten().cloned().collect()
    }

    pub(super) fn remember_places(&self) {
        let calls = self.faults.take_calls().into_iter().filter(|place| place.function == self.function);
        self.places.lock().unwrap().get_or_insert_with(|| calls.collect());
    }

    /// Jeanne, signed in.
    pub(super) async fn user(&self) -> Arc<Visitor> {
        let make = || async { Arc::new(self.world.user(&Person::at(EMAIL)).await) };
        Arc::clone(self.jeanne.get_or_init(make).await)
    }

    /// The same, the charter accepted.
    pub(super) async fn member(&self) -> Arc<Visitor> {
        let make = || async { Arc::new(self.world.member(EMAIL).await) };
        Arc::clone(self.jeanne.get_or_init(make).await)
    }

    /// The same as manager of the leaflet's account.
    pub(super) async fn manager(&self) -> Arc<Visitor> {
        let jeanne = self.member().await;
        self.world.claim(&jeanne, ACCOUNT).await.expect(201);
        jeanne
    }

    /// A reader of the account.
    pub(super) async fn colleague(&self) -> Arc<Visitor> {
        let make = || async {
            let paul = self.world.member("paul@martin.example").await;
            self.world.make_reader(&paul).await;
            Arc::new(paul)
        };
        Arc::clone(self.paul.get_or_init(make).await)
    }

    /// Jeanne in a browser of her own.
    pub(super) async fn log_in(&self) -> Arc<Visitor> {
        self.user().await;
        let visitor = self.world.visitor();
        visitor.log_in(EMAIL, PASSWORD).await.expect(200);
        Arc::new(visitor)
    }

    /// Has what was given up on sent, as the sweep would within minutes.
    pub(super) async fn wake_unsent(&self) {
        self.world.advance(Duration::from_secs(301));
        self.world.sweep().await;
    }
}

/// What somebody does, once or again.
pub(super) enum Deed {
    Request { who: Arc<Visitor>, method: Method, target: String, body: Option<Value>, key: Option<String> },
    Event { function: &'static str, event: Value },
}

/// What they are told.
pub(super) enum Answer {
    /// Try again: in a problem that says when, or as an invocation that fails.
    TryAgain,
    Told {
        status: u16,
        problem: String,
        text: String,
    },
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::TryAgain => "try again",
            Self::Told { text, .. } => text,
        }
    }
}

impl Deed {
    pub(super) fn post(who: impl Into<Arc<Visitor>>, target: &str, body: Value) -> Self {
        let (who, target) = (who.into(), target.to_owned());
        Self::Request { who, method: Method::POST, target, body: Some(body), key: None }
    }

    pub(super) fn request(who: &Arc<Visitor>, method: Method, target: String, body: Option<Value>) -> Self {
        Self::Request { who: Arc::clone(who), method, target, body, key: None }
    }

    /// The same with an idempotency key.
    pub(super) fn with_key(mut self, number: usize) -> Self {
        if let Self::Request { key, .. } = &mut self {
            *key = Some(format!("key-{number}"));
        }
        self
    }

    pub(super) async fn done(&self, stage: &Stage) -> Answer {
        match self {
            Self::Request { who, method, target, body, key } => {
                let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
                told(who.send_with(method.clone(), target, body.as_ref(), &headers).await)
            }
            Self::Event { function, event } => match stage.world.portal.invoke(function, event.clone()).await {
                Ok(answer) => Answer::Told { status: 200, problem: String::new(), text: answer.to_string() },
                Err(_) => Answer::TryAgain,
            },
        }
    }

    /// As a client does it: with a new access token, where the old one is none any more.
    pub(super) async fn done_again(&self, stage: &Stage) -> Answer {
        let answer = self.done(stage).await;
        let Self::Request { who, .. } = self else { return answer };
        let refused =
            matches!(&answer, Answer::Told { status: 401, problem, .. } if problem == "authentication-required");
        if refused && who.cookie().is_some() && who.refresh().await.status == 200 {
            return self.done(stage).await;
        }
        answer
    }
}

fn told(reply: Reply) -> Answer {
    let again = matches!((reply.status, reply.problem()), (503, "try-again") | (409, "request-in-flight"));
    if again && (reply.status == 409 || reply.header("retry-after").is_some()) {
        return Answer::TryAgain;
    }
    Answer::Told { status: reply.status, problem: reply.problem().to_owned(), text: reply.to_string() }
}

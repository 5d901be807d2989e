//! A line from the imports to DynamoDB on which one looks at the ledger after each transaction, and which goes dead
//! after a chosen call.

use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::future::BoxFuture;
use local::{Options, Service};

use crate::proxy::{self, Answer, Onward, Passing};

/// Says what is wrong with the ledger, if anything is.
type Look = Box<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// The line.
#[derive(Clone, Default)]
pub struct Commits(Arc<Line>);

#[derive(Default)]
struct Line {
    /// Held from a transaction to the end of the look at what it left: what is seen is one state.
    gate: tokio::sync::Mutex<()>,
    look: OnceLock<Look>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls until it goes dead; `None` while it lives.
    left: Option<usize>,
    looks: usize,
    complaints: Vec<String>,
}

/// What becomes of a call.
enum Fate {
    Lives,
    /// It has its effect, and nobody hears of it.
    IsTheLast,
    IsLost,
}

impl Commits {
    /// A line that lives, and options for a portal with it.
    pub fn of_imports() -> (Self, Options) {
        let commits = Self::default();
        let line = commits.clone();
        let options = proxy::before(&[Service::DynamoDb], move |passing, onward| line.clone().pass(passing, onward));
        (commits, options)
    }

    /// From now on this is done after each transaction of an import, and no other is let through meanwhile.
    pub fn look(&self, look: impl Fn() -> BoxFuture<'static, Option<String>> + Send + Sync + 'static) {
        assert!(self.0.look.set(Box::new(look)).is_ok(), "it is told once");
    }

    /// Has the imports die: of the call after `calls` more the effect is done and the answer lost, and each behind it
    /// fails.
    pub fn die_after(&self, calls: usize) {
        self.0.state.lock().unwrap().left = Some(calls);
    }

    /// From now on calls get through again; says whether any did not.
    pub fn revive(&self) -> bool {
        self.0.state.lock().unwrap().left.take() == Some(0)
    }

    /// How often it was looked since it was asked last, and what was wrong.
    pub fn take(&self) -> (usize, Vec<String>) {
        let mut state = self.0.state.lock().unwrap();
        (std::mem::take(&mut state.looks), std::mem::take(&mut state.complaints))
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        if passing.function != "import-feed" {
            return Ok(onward.forward(&passing).await.map(Body::from));
        }
        let fate = self.fate();
        if let Fate::IsLost = fate {
            return Ok(dead());
        }
        let answer = if passing.operation == "TransactWriteItems" {
            let _gate = self.0.gate.lock().await;
            let answer = onward.forward(&passing).await;
            if let Some(look) = self.0.look.get() {
                let complaint = look().await;
                let mut state = self.0.state.lock().unwrap();
                state.looks += 1;
                state.complaints.extend(complaint);
            }
            answer
        } else {
            onward.forward(&passing).await
        };
        Ok(if let Fate::IsTheLast = fate { dead() } else { answer.map(Body::from) })
    }

    fn fate(&self) -> Fate {
        match &mut self.0.state.lock().unwrap().left {
            None => Fate::Lives,
            Some(0) => Fate::IsLost,
            Some(left) => {
                *left -= 1;
                if *left == 0 { Fate::IsTheLast } else { Fate::Lives }
            }
        }
    }
}

/// What no client tries again: as far as the import goes, it has ended.
fn dead() -> axum::response::Response {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"the line is dead"}"#;
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response()
}

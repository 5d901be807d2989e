//! An SES that takes no mail for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use local::{Options, Service};

use crate::proxy::{self, Answer, Onward, Passing};

/// What stands between the functions and SES.
#[derive(Clone, Default)]
pub struct Outage {
    lasts: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Outage {
    /// An SES that works until [`Self::begin`], and options for a portal with it.
    pub async fn of_ses() -> (Self, Options) {
        let outage = Self::default();
        let gate = outage.clone();
        let options = proxy::before(Service::Ses, move |passing, onward| gate.clone().pass(passing, onward)).await;
        (outage, options)
    }

    /// From now on it takes nothing.
    pub fn begin(&self) {
        self.lasts.store(true, Ordering::SeqCst);
    }

    /// From now on it takes mails again.
    pub fn end(&self) {
        self.lasts.store(false, Ordering::SeqCst);
    }

    /// How many mails it did not take.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        if self.lasts.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            // A refusal that passes, and that the SDK does not itself repeat with pauses.
            let kind = (HeaderName::from_static("x-amzn-errortype"), "SendingPausedException");
            return Ok((StatusCode::BAD_REQUEST, [kind], r#"{"message":"paused"}"#).into_response());
        }
        Ok(onward.forward(&passing).await.map(Body::from))
    }
}

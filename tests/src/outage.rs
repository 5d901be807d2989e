//! An SES that takes no mail for a while, or takes one and is not heard.

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
    throttled: Arc<AtomicUsize>,
    unheard: Arc<AtomicUsize>,
    bad: Arc<AtomicUsize>,
}

impl Outage {
    /// An SES that works until [`Self::begin`], and options for a portal with it.
    pub fn of_ses() -> (Self, Options) {
        let outage = Self::default();
        let gate = outage.clone();
        let options = proxy::before(&[Service::Ses], move |passing, onward| gate.clone().pass(passing, onward));
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

    /// Throttles so many of the requests that come. The SDK repeats those by itself, with pauses.
    pub fn throttle(&self, requests: usize) {
        self.throttled.store(requests, Ordering::SeqCst);
    }

    /// Takes the next mail, and its sender does not come to know: as where it crashes before it writes that down.
    pub fn crash_sender(&self) {
        self.unheard.store(1, Ordering::SeqCst);
    }

    /// Refuses so many of the mails that come for good.
    pub fn refuse_for_good(&self, mails: usize) {
        self.bad.store(mails, Ordering::SeqCst);
    }

    /// How many requests it did not take.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    async fn pass(self, passing: Passing, onward: Onward) -> Answer {
        if take_one(&self.throttled) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return refusal(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException");
        }
        if take_one(&self.bad) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return refusal(StatusCode::BAD_REQUEST, "BadRequestException");
        }
        if self.lasts.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            // A refusal that passes, and that the SDK does not itself repeat with pauses.
            return refusal(StatusCode::BAD_REQUEST, "SendingPausedException");
        }
        let answer = onward.forward(&passing).await;
        if take_one(&self.unheard) {
            return refusal(StatusCode::BAD_REQUEST, "SendingPausedException");
        }
        Ok(answer.map(Body::from))
    }
}

/// Whether there was one left.
fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn refusal(status: StatusCode, kind: &'static str) -> Answer {
    let kind = (HeaderName::from_static("x-amzn-errortype"), kind);
    Ok((status, [kind], r#"{"message":"not now"}"#).into_response())
}

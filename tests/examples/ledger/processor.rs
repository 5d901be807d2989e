//! Where the processor's time of a call goes: the AWS SDK's operations, and everything else in the handler.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// When the operation that runs on this thread was entered, and what all of them took so far.
    static OPERATIONS: Cell<(Option<Duration>, Duration)> = const { Cell::new((None, Duration::ZERO)) };
}

/// The processor's time of this thread so far.
pub(crate) fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs().try_into().unwrap_or_default())
}

/// Runs the future; gives what polling it took, the SDK's operations on DynamoDB left out. The connections
/// have tasks of their own, so they are not polled here.
pub(crate) async fn outside_operations<F: Future>(future: F) -> (F::Output, Duration) {
    let mut future = pin!(future);
    let mut spent = Duration::ZERO;
    let output = poll_fn(|context| {
        let (began, operations) = (now(), OPERATIONS.get().1);
        let poll = future.as_mut().poll(context);
        let inside = OPERATIONS.get().1.saturating_sub(operations);
        spent += now().saturating_sub(began).saturating_sub(inside);
        poll
    });
    (output.await, spent)
}

/// Takes the time in the spans that the SDK opens around each operation on DynamoDB.
pub(crate) struct Operations;

impl Subscriber for Operations {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name().starts_with("DynamoDB.")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        let (_, all) = OPERATIONS.get();
        OPERATIONS.set((Some(now()), all));
    }

    fn exit(&self, _: &Id) {
        let (entered, all) = OPERATIONS.get();
        OPERATIONS.set((None, all + entered.map_or(Duration::ZERO, |entered| now().saturating_sub(entered))));
    }
}

//! Functions that run every so often, and the event that says so.

use jiff::Timestamp;
use portal::clock::Clock;
use serde_json::{Value, json};

use crate::deployment::Schedule;
use crate::functions::{Functions, InvokeError};
use crate::ids;
use crate::names::{ACCOUNT, REGION};
use crate::server::Stop;

/// An event as EventBridge writes it.
pub(crate) fn bus_event(source: &str, kind: &str, now: Timestamp, resources: Value, detail: Value) -> Value {
    json!({
        "version": "0",
        "id": ids::hex(),
        "source": source,
        "detail-type": kind,
        "account": ACCOUNT,
        "region": REGION,
        "time": now,
        "resources": resources,
        "detail": detail,
    })
}

/// Runs a schedule's function once.
pub(crate) async fn run(schedule: &Schedule, functions: &Functions, clock: &Clock) -> Result<Value, InvokeError> {
    let event = schedule.input.clone().unwrap_or_else(|| {
        let name = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", schedule.function);
        bus_event("aws.events", "Scheduled Event", clock.now(), json!([name]), json!({}))
    });
    functions.invoke(&schedule.function, event).await
}

/// Runs a schedule until the signal; the first time is one interval from now.
pub(crate) async fn keep_running(schedule: Schedule, functions: Functions, clock: Clock, stop: Stop) {
    let ended = stop.wait();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => return,
            () = tokio::time::sleep(schedule.every) => {}
        }
        // What failed is in the log, and the next time comes anyway.
        let _ = run(&schedule, &functions, &clock).await;
    }
}

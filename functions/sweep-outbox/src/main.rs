//! `sweep-outbox` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_event::<sweep_outbox::Function>()
}

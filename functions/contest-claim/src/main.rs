//! `contest-claim` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<contest_claim::Function>()
}

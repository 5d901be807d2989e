//! `claim-manager` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<claim_manager::Function>()
}

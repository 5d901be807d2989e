//! `rotate-keys` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_event::<rotate_keys::Function>()
}

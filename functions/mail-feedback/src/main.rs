//! `mail-feedback` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_event::<mail_feedback::Function>()
}

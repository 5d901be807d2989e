//! `forgot-password` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<forgot_password::Function>()
}

//! `change-email` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<change_email::Function>()
}

//! `public-keys` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<public_keys::Function>()
}

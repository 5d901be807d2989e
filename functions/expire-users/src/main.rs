//! `expire-users` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_event::<expire_users::Function>()
}

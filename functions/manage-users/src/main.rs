//! `manage-users` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<manage_users::Function>()
}

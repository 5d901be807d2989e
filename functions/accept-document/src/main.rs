//! `accept-document` as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    portal::lambda::run_http::<accept_document::Function>()
}

//! The Lambda binary of `statement`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_http::<statement::Function>()
}

//! The Lambda binary of `query-ledger`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_http::<query_ledger::Function>()
}

//! The Lambda binary of `export-ledger`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_http::<export_ledger::Function>()
}

//! The Lambda binary of `reconcile`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_event::<reconcile::Function>()
}

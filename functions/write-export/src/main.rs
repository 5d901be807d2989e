//! The Lambda binary of `write-export`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_event::<write_export::Function>()
}

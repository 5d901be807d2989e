//! The Lambda binary of `import-feed`.

fn main() -> std::process::ExitCode {
    portal::lambda::run_event::<import_feed::Function>()
}

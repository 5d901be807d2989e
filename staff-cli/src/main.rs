//! `cargo run -p staff-cli -- …`: the operations of the function `staff`, one command each. `--help` says what there
//! is.
//!
//! A command becomes an event, the event goes to the function, its answer is shown. The rules are the function's; this
//! program has none of its own.

mod cli;
mod event;
mod render;
mod target;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use crate::cli::Arguments;
use crate::target::Unreached;

/// It was refused: nothing has happened, and the message says what to do.
const REFUSED: u8 = 1;
/// What was typed is wrong (so says clap too).
const USAGE: u8 = 2;
/// The function was not reached, or could not finish.
const UNREACHED: u8 = 3;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let common = arguments.command.common();
    let event = match event::of(&arguments.command) {
        Ok(event) => event,
        Err(problem) => return fail(USAGE, &problem),
    };
    let target = match target::Target::of(common) {
        Ok(target) => target,
        Err(problem) => return fail(USAGE, &problem),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(UNREACHED, &error.to_string()),
    };
    match runtime.block_on(target.invoke(&event)) {
        Ok(answer) => show(&answer, common.json),
        Err(Unreached(problem)) => fail(UNREACHED, &problem),
    }
}

/// For a script the answer as it came, refused or not; for people text, and what is refused on standard error.
fn show(answer: &Value, json: bool) -> ExitCode {
    let refused = render::refusal(answer);
    if json {
        say(&answer.to_string());
    } else if refused.is_none() {
        say(render::answer(answer).trim_end());
    }
    match refused {
        Some(_) if json => ExitCode::from(REFUSED),
        Some(problem) => fail(REFUSED, &problem),
        None => ExitCode::SUCCESS,
    }
}

/// A closed standard output is no reason to end.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn fail(code: u8, problem: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {problem}");
    ExitCode::from(code)
}

//! `cargo run`: the whole portal on loopback. `--help` says what can be chosen.

mod cli;
mod invoke;
mod offset;
mod progress;
mod reconcile;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use local::{Error, ImportError, Pages, Portal, Report};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Arguments, Command};
use crate::progress::Bar;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let ended = runtime.block_on(async {
        match &arguments.command {
            None => run(&arguments).await,
            Some(Command::Invoke(invocation)) => invoke::invoke(invocation).await.map(|answer| say(&answer)),
            Some(Command::Pages) => list_pages(),
            Some(Command::Reconcile(reconciliation)) => reconcile::reconcile(reconciliation, say).await,
        }
    });
    // Whoever asked twice does not wait for what is still running.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem),
    }
}

/// Files are named from where the command runs, if they are below it.
fn list_pages() -> Result<(), String> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    for page in Pages::default().list().map_err(|error| error.to_string())? {
        let file = page.file.strip_prefix(&here).unwrap_or(&page.file).display().to_string();
        say(&[page.key.as_str(), &file, page.content_type, page.cache_control].join("\t"));
    }
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut next_signal = async || {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    let portal = tokio::select! {
        started = Box::pin(start(arguments)) => started?,
        // The data are safe at any moment; the next start goes on with what was under way.
        () = next_signal() => return Err("interrupted before it answered".to_owned()),
    };
    say(&welcome(&portal, arguments).await);
    next_signal().await;
    say("Finishing what is running; Ctrl-C again to end at once.");
    tokio::select! {
        () = portal.stop() => Ok(()),
        () = next_signal() => Err("ended with requests still running".to_owned()),
    }
}

async fn start(arguments: &Arguments) -> Result<Portal, String> {
    if let Some(folder) = &arguments.import {
        local::check_feed(folder).map_err(|error| error.to_string())?;
    }
    let bar = Bar::default();
    let mut options = arguments.options();
    options.on_line = Some(bar.hook());
    let mut portal = Portal::prepare(options).await.map_err(|error| explain(&error))?;
    portal.start_functions().await.map_err(|error| error.to_string())?;
    if !arguments.no_demo {
        let loaded = portal.load_demo().await;
        bar.end();
        if let Some(report) = loaded.map_err(|error| error.to_string())? {
            say(&format!("Demo data loaded: {}", summary(&report)));
        }
    }
    if let Some(folder) = &arguments.import {
        let imported = portal.import(folder).await;
        bar.end();
        let report = imported.map_err(|error| match error {
            ImportError::Refused(reason) => format!("the feed {} was refused: {reason}", folder.display()),
            other => other.to_string(),
        })?;
        say(&format!("Imported {}: {}", folder.display(), summary(&report)));
        for line in &report.quarantine {
            let field = line.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
            say(&format!("  put aside: {} line {}: {}{field}", line.file, line.line, line.reason));
        }
    }
    portal.serve();
    Ok(portal)
}

fn explain(error: &Error) -> String {
    match error {
        Error::Port { port, error } if error.kind() == io::ErrorKind::AddrInUse => {
            format!("port {port} is in use: choose another with --port (0 takes any free one)")
        }
        other => other.to_string(),
    }
}

fn summary(report: &Report) -> String {
    format!(
        "{} posted, {} unchanged, {} corrected, {} withdrawn, {} stale, {} put aside, {} waiting",
        report.posted,
        report.unchanged,
        report.corrected,
        report.withdrawn,
        report.stale,
        report.quarantined,
        report.pending
    )
}

async fn welcome(portal: &Portal, arguments: &Arguments) -> String {
    let address = portal.address();
    let mut text = format!("\n  The portal answers at  {address}\n  Its mails are at       {address}/_local/mail\n");
    // Before a first import without the demo there is nothing to try; a store that fails now fails the
    // first request too, and says more there.
    if let Ok(Some(found)) = portal.unclaimed_demo_establishment().await {
        text.push_str(&format!(
            "  To try it              SIRET {}, member number {} ({})\n",
            found.siret, found.member_number, found.name
        ));
    }
    match arguments.data_folder() {
        Some(folder) => text.push_str(&format!("  Its data are in        {}\n", folder.display())),
        None => text.push_str("  Its data are in        memory, gone when it stops\n"),
    }
    if let Err(problem) = portal.look_for_pages() {
        text.push_str(&format!("  It has no pages        {problem}\n"));
    }
    if !arguments.clock.is_zero() {
        text.push_str(&format!("  Its clock says         {}\n", portal.clock().now()));
    }
    text.push_str("\n  Ctrl-C stops it.");
    text
}

/// A closed standard output is no reason to end.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn fail(problem: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {problem}");
    ExitCode::FAILURE
}

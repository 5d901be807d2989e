//! The command that makes an initial load.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use import_feed::Sources;
use indicatif::{ProgressBar, ProgressStyle};
use initial_load::{Options, Stage, Summary, Told, load, parts::PART_BYTES};
use jiff::Timestamp;
use portal::clock::Clock;
use portal::domain::View;
use portal::store::Table;

/// Turn feeds into files that DynamoDB reads from S3 into empty tables.
///
/// The items are those that posting the feeds leaves, one after the other. See "The first load" in
/// docs/operations.md.
#[derive(Debug, Parser)]
#[command(name = "initial-load", version)]
struct Arguments {
    /// The folder of a batch, with its manifest.json; again for each further batch, in the order of posting
    #[arg(long = "feed", value_name = "DIR", required = true)]
    feeds: Vec<PathBuf>,

    /// The folder to write; missing or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The first view, as the stack's parameter FirstView
    #[arg(long, value_name = "YEAR", default_value = "2011", value_parser = view)]
    first_view: View,

    /// The systems that sent them, as the stack's parameter FeedSources
    #[arg(long, value_name = "SOURCES", value_parser = Sources::parse)]
    sources: Sources,

    /// When the entries are booked, such as 2026-01-31T06:00:00Z [default: now]
    #[arg(long, value_name = "RFC3339")]
    booked_at: Option<Timestamp>,
}

fn view(text: &str) -> Result<View, String> {
    View::parse(text).ok_or_else(|| "a year of four digits is needed".to_owned())
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a command tells its user what is wrong")]
            {
                eprintln!("initial-load: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { feeds, out, first_view, sources, booked_at } = arguments;
    // One instant for the whole load, so that it can be made again byte for byte.
    let clock = Clock::stopped_at(booked_at.unwrap_or_else(|| Clock::system().now()));
    let options =
        Options { feeds, out: out.clone(), first_view, sources: Arc::new(sources), clock, part_bytes: PART_BYTES };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let bar = ProgressBar::no_length();
    let loaded = runtime.block_on(load(&options, &told(&bar)));
    bar.finish_and_clear();
    let (reports, summary) = loaded?;
    #[allow(clippy::print_stdout, reason = "a command tells its user what it did")]
    {
        for report in reports {
            let batch = report.batch_id.map(|id| id.to_string()).unwrap_or_default();
            println!(
                "{batch}: posted {}, corrected {}, withdrawn {}, unchanged {}, stale {}, pending {}, quarantined {}, released {} \
                 ({} lines)",
                report.posted,
                report.corrected,
                report.withdrawn,
                report.unchanged,
                report.stale,
                report.pending,
                report.quarantined,
                report.released,
                report.totals.lines
            );
        }
        println!("{}", next_steps(&out, &summary));
    }
    Ok(())
}

/// Draws on standard error, and nothing at all where that is no terminal.
fn told(bar: &ProgressBar) -> Told {
    let style = ProgressStyle::with_template("  {msg} [{bar:32}] {human_pos} of {human_len}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    let bar = bar.clone();
    Arc::new(move |stage, done, of| {
        let message = match stage {
            Stage::Posting(batch_id) => format!("{batch_id}: lines"),
            Stage::Writing(Table::Members) => "members: items".to_owned(),
            Stage::Writing(_) => "ledger: items".to_owned(),
        };
        if bar.message() != message {
            bar.reset();
            bar.set_message(message);
        }
        bar.set_length(of);
        bar.set_position(done);
    })
}

/// What was written, and how it gets into the tables.
fn next_steps(out: &std::path::Path, summary: &Summary) -> String {
    let mut text = String::new();
    for (table, written) in [("members", &summary.members), ("ledger", &summary.ledger)] {
        text += &format!("{table}: {} items, {} bytes, {} parts\n", written.items, written.bytes, written.parts);
    }
    text + &include_str!("next_steps.txt").replace("<OUT>", &out.display().to_string())
}

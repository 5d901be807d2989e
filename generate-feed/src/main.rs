//! The command that writes a feed into a folder.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use generate_feed::{Options, Years, generate};
use indicatif::{ProgressBar, ProgressStyle};

/// Make a feed of invented members and ledgers, in the format of docs/feed.md.
///
/// The same arguments give the same bytes. The feed of demo/feed is made by
///
///   cargo run -p generate-feed -- --establishments 40 --years 2009-2016 --seed 2012
///   --large-account 1500 --batch-id demo-2009-2016 --out demo/feed
#[derive(Debug, Parser)]
#[command(name = "generate-feed", version)]
struct Arguments {
    /// How many establishments, up to 1,000,000; the first is always the leaflet's
    #[arg(long, value_name = "N")]
    establishments: u32,

    /// The years told, both included
    #[arg(long, value_name = "FROM-TO", default_value = "2009-2016")]
    years: Years,

    /// Chooses one of the possible histories
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// The folder to write; a feed that is there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Name of the batch [default: generated-<years>-<seed>]
    #[arg(long, value_name = "ID")]
    batch_id: Option<String>,

    /// Give the sixth establishment exactly this many entries, at least 500
    #[arg(long, value_name = "ENTRIES")]
    large_account: Option<u32>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a command tells its user what is wrong")]
            {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                eprintln!("generate-feed: {error}{cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), generate_feed::GenerateError> {
    let Arguments { establishments, years, seed, out, batch_id, large_account } = arguments;
    let batch_id = batch_id.unwrap_or_else(|| format!("generated-{years}-{seed}"));
    let options = Options { establishments, years, seed, batch_id, large_account };

    // Draws on standard error, and nothing at all where that is no terminal.
    let bar = ProgressBar::new(u64::from(establishments));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} establishments, {eta} to go") {
        bar.set_style(style);
    }
    let manifest = generate(&options, &out, |done| bar.set_position(u64::from(done)))?;
    bar.finish_and_clear();

    #[allow(clippy::print_stdout, reason = "a command tells its user what it did")]
    for file in &manifest.files {
        println!("{}: {} lines", out.join(&file.name).display(), file.lines);
    }
    Ok(())
}

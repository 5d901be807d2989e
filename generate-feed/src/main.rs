//! The command that writes a feed into a folder.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use generate_feed::{Batches, Options, Sending, Years, ensure_empty, send};
use indicatif::{ProgressBar, ProgressStyle};

/// Make a feed of invented members and ledgers, in the format of docs/feed.md.
///
/// The same arguments give the same bytes, on any machine. Unless --clean is said, things go wrong in it as they
/// do in life: 3 % of the entries are corrected, 1 % come out of order, 0.5 % of the records are sent twice,
/// 0.1 % of the lines are bad. What an import must report, and what all accounts must add up to, is in
/// expected.json; the import never reads that. A run that is cut off leaves no manifest.
///
/// The feed of demo/feed is made by
///
///   cargo run -p generate-feed -- --establishments 40 --years 2009-2016 --seed 2012
///   --large-account 1500 --batch-id demo-2009-2016 --clean --replace --out demo/feed
///
/// The fund at full size, 11.3 million entries in about 3.7 GB, by
///
///   cargo run -p generate-feed -- --establishments 200000 --years 2009-2016 --seed 1
///   --large-account 100000 --out DIR
#[derive(Debug, Parser)]
#[command(name = "generate-feed", version, verbatim_doc_comment)]
struct Arguments {
    /// How many establishments, up to 999,999; the first is always the leaflet's
    #[arg(long, value_name = "N")]
    establishments: u32,

    /// The years told, both included
    #[arg(long, value_name = "FROM-TO", default_value = "2009-2016")]
    years: Years,

    /// Chooses one of the possible histories
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// The folder to write: missing or empty, unless --replace is said
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Replace the feed that is in the folder
    #[arg(long)]
    replace: bool,

    /// One batch in DIR, or one for each year in folders of it
    #[arg(long, value_enum, default_value_t = BatchesArgument::Whole)]
    batches: BatchesArgument,

    /// Nothing goes wrong, and there is no expected.json
    #[arg(long)]
    clean: bool,

    /// Name of the batch; the year goes behind it where there are several [default: generated-<years>-<seed>]
    #[arg(long, value_name = "ID")]
    batch_id: Option<String>,

    /// Give the sixth establishment exactly this many entries in force, at least 500
    #[arg(long, value_name = "ENTRIES")]
    large_account: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BatchesArgument {
    Whole,
    Yearly,
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
    let Arguments { establishments, years, seed, out, replace, batches, clean, batch_id, large_account } = arguments;
    let batch_id = batch_id.unwrap_or_else(|| format!("generated-{years}-{seed}"));
    let options = Options { establishments, years, seed, batch_id, large_account };
    let batches = match batches {
        BatchesArgument::Whole => Batches::Whole,
        BatchesArgument::Yearly => Batches::Yearly,
    };
    let sending = Sending { troubles: !clean, batches };
    options.validate()?;
    if !replace {
        ensure_empty(&out)?;
    }

    // Draws on standard error, and nothing at all where that is no terminal.
    let bar = ProgressBar::new(u64::from(establishments));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} establishments, {eta} to go") {
        bar.set_style(style);
    }
    let (manifests, _) = send(&options, sending, &out, |done| bar.set_position(u64::from(done)))?;
    bar.finish_and_clear();

    #[allow(clippy::print_stdout, reason = "a command tells its user what it did")]
    for manifest in &manifests {
        let lines = |place: usize| manifest.files.get(place).map_or(0, |file| file.lines);
        println!("{}: {} lines of members, {} of the ledger", manifest.batch_id, lines(0), lines(1));
    }
    Ok(())
}

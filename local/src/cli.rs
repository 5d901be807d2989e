//! What can be chosen on the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use local::{Data, LogTo, Options};
use portal::clock::Clock;

use crate::offset;

/// The whole member portal on this machine: functions, database, mail, files, in one process on loopback.
///
/// The first start loads a demo feed; later ones find the data as they were left. Nothing leaves the
/// machine: mails are kept and shown at /_local/mail.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The port to answer at; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,

    /// The folder that keeps the data; made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".portal", conflicts_with = "memory")]
    data: PathBuf,

    /// Keep the data in memory: every start is a first one
    #[arg(long)]
    memory: bool,

    /// Do not load the demo feed
    #[arg(long)]
    pub(crate) no_demo: bool,

    /// Import a feed (a folder with a manifest.json) before answering; lines that are put aside are
    /// listed, a refused feed ends the start
    #[arg(long, value_name = "DIR")]
    pub(crate) import: Option<PathBuf>,

    /// How many shards of a large feed are posted at the same time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,

    /// Let the portal's clock run ahead, to try what expires: 31m, 24h, 2d, 1d12h
    #[arg(long, value_name = "OFFSET", value_parser = offset::parse, default_value = "0s",
        hide_default_value = true, allow_hyphen_values = true)]
    pub(crate) clock: Duration,

    /// The folder of the built pages [default: web/dist of the workspace, where `make pages` puts them]
    #[arg(long, value_name = "DIR")]
    pages: Option<PathBuf>,

    /// Give a parameter of template.yaml another value, as a deployment would; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,

    /// Where log lines go [default: portal.log in the data folder; nowhere with --memory]
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// What else there is to do than to start a portal.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hand an event to a function of a running portal and print its answer
    ///
    /// What is refused ends with a failure and one line that says why.
    Invoke(Invocation),

    /// Hold the ledger of a running portal against its entries and print what differs
    ///
    /// Each line names account, item, field, what is stored and what it must be. Ends with a failure where
    /// anything differs, or where an account was posted to all the time.
    Reconcile(Reconciliation),

    /// List the built pages as they are put into their bucket, one a line: key, file, content type, cache control
    ///
    /// Separated by tabs; docs/operations.md says what reads it.
    Pages,
}

/// Which accounts are held against their entries, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Reconciliation {
    /// One account by its member number, such as 012345 [default: all]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) account: Option<String>,

    /// Print one report in JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Where the portal answers
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080")]
    pub(crate) portal: String,
}

/// Which function is handed what.
#[derive(Debug, Args)]
pub(crate) struct Invocation {
    /// The function's name, such as staff
    pub(crate) function: String,

    /// The file with the event, in JSON; - is standard input
    pub(crate) event: PathBuf,

    /// Where the portal answers
    #[arg(long, value_name = "URL", default_value = "http://localhost:8080")]
    pub(crate) portal: String,
}

impl Arguments {
    /// The data folder; `None` in memory.
    pub(crate) fn data_folder(&self) -> Option<&Path> {
        (!self.memory).then_some(self.data.as_path())
    }

    /// How the portal starts.
    pub(crate) fn options(&self) -> Options {
        let clock = Clock::system();
        clock.advance(self.clock);
        let folder = self.data_folder();
        Options {
            port: self.port,
            data: folder.map_or(Data::Memory, |folder| Data::Folder(folder.to_owned())),
            clock,
            log: match (&self.log, folder) {
                (Some(file), _) => LogTo::File(file.clone()),
                (None, Some(folder)) => LogTo::File(folder.join("portal.log")),
                (None, None) => LogTo::Nowhere,
            },
            pages: self.pages.clone(),
            parameters: {
                let workers = self.workers.map(|count| ("ImportWorkers".to_owned(), count.to_string()));
                workers.into_iter().chain(self.parameters.iter().cloned()).collect()
            },
            ..Options::default()
        }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is like FirstView=2011")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn memory_and_a_data_folder_exclude_each_other() {
        assert!(Arguments::try_parse_from(["local", "--memory", "--data", "x"]).is_err());
        let arguments = Arguments::try_parse_from(["local", "--memory", "--clock", "+24h"]).unwrap();
        assert!(arguments.data_folder().is_none());
        assert_eq!(arguments.clock, Duration::from_secs(86_400));
        let arguments = Arguments::try_parse_from(["local"]).unwrap();
        assert_eq!((arguments.port, arguments.data_folder()), (8080, Some(Path::new(".portal"))));
    }
}

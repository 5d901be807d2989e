//! Makes a back office's feed of invented members and their ledgers.
//!
//! The demo data, the tests and the measurements all start from such a feed. It follows the format
//! of `docs/feed.md` and the sizes that the fund counts: employee bands, actions a year, amounts,
//! the peak of the last quarter, closures.
//!
//! Three properties matter more than realism:
//!
//! - **The same arguments give the same bytes**, on any machine and in any year. Randomness is
//!   ChaCha8 keyed by seed and establishment, sampled with integers only; no clock is read.
//! - **Establishments do not depend on each other.** Number 150,000 is what it is whether or not
//!   the others are made, so a feed can be made in parts, and grown without changing its beginning.
//! - **Memory does not grow with the feed.** Lines are written, counted, summed and hashed one by
//!   one; at most one action is held at a time.
//!
//! [`generate`] writes a folder; [`write_feed`] writes into any two writers and is what tests use.
//!
//! # Where to change what
//!
//! | To change | See |
//! |---|---|
//! | how many of which size, how busy, how dear | `distribution` |
//! | what can happen to an action, and how often | `actions` |
//! | what a step does to an action's status and sums | `story` |
//! | who the members are | `members`, `names`, `identifiers` |
//! | the account that visitors are shown | `showcase` |

mod accounts;
mod actions;
mod calendar;
mod contributions;
mod distribution;
mod feed_file;
mod identifiers;
mod manifest;
mod members;
mod names;
mod options;
pub mod records;
mod showcase;
mod story;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use manifest::{FileEntry, Manifest};
pub use options::{InvalidOptions, Options, Years};

use feed_file::FeedFile;
use members::Member;

/// Name of the file of members inside a batch.
pub const MEMBERS_FILE: &str = "members.ndjson";
/// Name of the file of actions and entries inside a batch.
pub const LEDGER_FILE: &str = "ledger.ndjson";
/// Name of the file whose presence says that a batch is complete.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Why a feed could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The arguments contradict each other or the format.
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    /// The feed was made but could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Writes a complete batch into `dir`, which is made if missing; a feed already there is replaced.
///
/// The manifest goes away first and comes last, so that an interrupted run leaves no batch that
/// looks complete. `progress` is told how many establishments are done.
///
/// # Errors
///
/// [`GenerateError::Options`] before anything is touched, [`GenerateError::Write`] for the disk's.
pub fn generate(options: &Options, dir: &Path, progress: impl FnMut(u32)) -> Result<Manifest, GenerateError> {
    options.validate()?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| GenerateError::Write { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    let manifest_path = dir.join(MANIFEST_FILE);
    match fs::remove_file(&manifest_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&manifest_path)(error));
        }
        _ => {}
    }

    let create = |name: &str| {
        let path = dir.join(name);
        File::create(&path).map(BufWriter::new).map_err(failed(&path))
    };
    let members = create(MEMBERS_FILE)?;
    let ledger = create(LEDGER_FILE)?;
    let manifest = write_feed(options, members, ledger, progress).map_err(|error| match error {
        WriteFeedError::Options(error) => GenerateError::Options(error),
        WriteFeedError::Io(source) => failed(dir)(source),
    })?;

    let partial = dir.join("manifest.json.partial");
    fs::write(&partial, manifest.to_json()).map_err(failed(&partial))?;
    fs::rename(&partial, &manifest_path).map_err(failed(&manifest_path))?;
    Ok(manifest)
}

/// Why [`write_feed`] stopped.
#[derive(Debug, thiserror::Error)]
pub enum WriteFeedError {
    /// The arguments contradict each other or the format.
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    /// A writer refused a line.
    #[error("cannot write the feed")]
    Io(#[from] io::Error),
}

/// Writes the two files of a batch line by line and returns the manifest that goes with them.
///
/// # Errors
///
/// [`WriteFeedError::Options`] before a line is written, [`WriteFeedError::Io`] when a writer fails.
pub fn write_feed(
    options: &Options,
    members: impl Write,
    ledger: impl Write,
    mut progress: impl FnMut(u32),
) -> Result<Manifest, WriteFeedError> {
    options.validate()?;
    let mut members = FeedFile::new(members);
    let mut ledger = FeedFile::new(ledger);
    for index in 0..options.establishments {
        let member = Member::draw(options, index);
        members.member(&member.record)?;
        accounts::write_account(options, &member, &mut ledger)?;
        progress(index + 1);
    }
    Ok(Manifest {
        batch_id: options.batch_id.clone(),
        source: SOURCE.to_owned(),
        created_at: options.years.closing_instant(),
        files: vec![members.finish()?.into_entry(MEMBERS_FILE, false), ledger.finish()?.into_entry(LEDGER_FILE, true)],
    })
}

/// The source that generated batches name. It is not the back office's own, so that invented keys
/// can never be taken for a correction of real ones.
pub const SOURCE: &str = "demo";

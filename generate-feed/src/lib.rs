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
//! [`send`] writes a folder, with troubles or without, in one batch or in one for each year; [`generate`] is the
//! plain case of it. [`write_feed`] and [`write_troubled_feed`] write into any writers and are what tests use.
//! Beside a troubled feed goes [`Expected`], what an import of it must come to.
//!
//! # Where to change what
//!
//! | To change | See |
//! |---|---|
//! | how many of which size, how busy, how dear | `distribution` |
//! | what can happen to an action, and how often | `actions` |
//! | what a step does to an action's status and sums | `story` |
//! | what goes wrong on the way, and how often | `troubles`, `bad_lines` |
//! | what a test expects of an import | `expected` |
//! | who the members are | `members`, `names`, `identifiers` |
//! | the account that visitors are shown | `showcase` |

mod accounts;
mod actions;
mod bad_lines;
mod batch;
mod calendar;
mod contributions;
mod distribution;
mod expected;
mod feed_file;
mod folder;
mod identifiers;
mod manifest;
mod members;
mod names;
mod options;
pub mod records;
mod showcase;
mod story;
mod troubles;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use expected::{Expected, ExpectedReport, ExpectedTotals, FIRST_VIEW, Injected, ViewTotals};
pub use folder::{ensure_empty, send};
pub use identifiers::siret;
pub use manifest::{FileEntry, Manifest};
pub use options::{Batches, InvalidOptions, Options, Sending, Years};

use batch::Batch;
use members::Member;
use troubles::Troubles;

/// Name of the file of members inside a batch.
pub const MEMBERS_FILE: &str = "members.ndjson";
/// Name of the file of actions and entries inside a batch.
pub const LEDGER_FILE: &str = "ledger.ndjson";
/// Name of the file whose presence says that a batch is complete.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Name of the file that says what an import must come to; no manifest lists it.
pub const EXPECTED_FILE: &str = "expected.json";

/// Why a feed could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The arguments contradict each other or the format.
    #[error(transparent)]
    Options(#[from] InvalidOptions),
    /// There is something already where the feed should go.
    #[error("{} is not empty: name a folder that is missing or empty, or say --replace", .0.display())]
    NotEmpty(PathBuf),
    /// The feed was made but could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Writes one complete batch without troubles into `dir`, as [`send`] does.
///
/// # Errors
///
/// [`GenerateError::Options`] before anything is touched, [`GenerateError::Write`] for the disk's.
pub fn generate(options: &Options, dir: &Path, progress: impl FnMut(u32)) -> Result<Manifest, GenerateError> {
    let (mut manifests, _) = send(options, Sending::default(), dir, progress)?;
    Ok(manifests.remove(0))
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

/// Writes the two files of a batch without troubles line by line and returns the manifest that goes with them.
///
/// # Errors
///
/// [`WriteFeedError::Options`] before a line is written, [`WriteFeedError::Io`] when a writer fails.
pub fn write_feed(
    options: &Options,
    members: impl Write,
    ledger: impl Write,
    progress: impl FnMut(u32),
) -> Result<Manifest, WriteFeedError> {
    write_troubled_feed(options, Sending::default(), vec![(members, ledger)], progress)
        .map(|(mut manifests, _)| manifests.remove(0))
}

/// Writes the files of each batch, members and ledger, into a pair of writers; there must be as many as
/// [`Sending::count`] says. Returns the manifests, and what an import must come to.
///
/// # Errors
///
/// [`WriteFeedError::Options`] before a line is written, [`WriteFeedError::Io`] when a writer fails.
pub fn write_troubled_feed<M: Write, L: Write>(
    options: &Options,
    sending: Sending,
    writers: Vec<(M, L)>,
    progress: impl FnMut(u32),
) -> Result<(Vec<Manifest>, Expected), WriteFeedError> {
    options.validate()?;
    sending.validate(options)?;
    let parts = sending.parts(options);
    if parts.len() != writers.len() {
        return Err(InvalidOptions::Writers { batches: parts.len(), writers: writers.len() }.into());
    }
    let batches = parts.into_iter().zip(writers);
    let batches = batches.map(|((id, days), (members, ledger))| Batch::new(id, days, members, ledger)).collect();
    Ok(write_batches(options, sending, batches, progress)?)
}

fn write_batches<M: Write, L: Write>(
    options: &Options,
    sending: Sending,
    mut batches: Vec<Batch<M, L>>,
    mut progress: impl FnMut(u32),
) -> io::Result<(Vec<Manifest>, Expected)> {
    let mut expected = Expected { first_view: FIRST_VIEW, ..Expected::default() };
    for index in 0..options.establishments {
        let member = Member::draw(options, index);
        // The account that visitors are shown is added up with a pencil, and stays as it is.
        let troubled = sending.troubles && index != 0;
        let mut troubles = troubled.then(|| Troubles::new(options.seed, index, batches.len()));
        members::write_member(&member, troubles.as_mut(), &mut batches)?;
        accounts::write_account(options, &member, troubles.as_mut(), &mut batches, &mut expected)?;
        expected.accounts += 1;
        if let Some(troubles) = troubles {
            expected.injected.add(troubles.injected);
        }
        progress(index + 1);
    }
    let mut manifests = Vec::with_capacity(batches.len());
    for batch in batches {
        let (manifest, report) = batch.finish()?;
        manifests.push(manifest);
        expected.batches.push(report);
    }
    Ok((manifests, expected))
}

/// The source that generated batches name. It is not the back office's own, so that invented keys
/// can never be taken for a correction of real ones.
pub const SOURCE: &str = "demo";

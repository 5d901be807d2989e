//! Digests as files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use portal::domain::{MemberNumber, View};
use reconcile::digest::{Digest, Head, Line};

/// Why digests cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DigestsError {
    /// A file or folder cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is no digest.
    #[error("{} is no digest: {reason}", path.display())]
    NoDigest {
        /// Which.
        path: PathBuf,
        /// The line, and what is wrong in it.
        reason: String,
    },
    /// A folder has none.
    #[error("no file in {} ends with .ndjson.gz: copy digests from their bucket into it first", .0.display())]
    Empty(PathBuf),
}

/// The entries of an account at an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// When.
    pub hour: Timestamp,
    /// Each view's.
    pub views: BTreeMap<View, Head>,
}

/// The content of digests, by account.
#[derive(Debug, Default)]
pub struct Digests {
    /// In the order of the hours, without those that say the same as the one before.
    pub accounts: BTreeMap<MemberNumber, Vec<Attested>>,
    /// Accounts that each digest of their hour left out.
    pub left_out: BTreeSet<MemberNumber>,
    /// The count of digests that were read.
    pub read: usize,
    /// The first and the last hour.
    pub hours: Option<(Timestamp, Timestamp)>,
}

impl Digests {
    /// Reads digests from files, and from all below folders whose name ends with `.ndjson.gz`. Where `wanted` names accounts,
    /// these only.
    ///
    /// # Errors
    /// Where a file cannot be read or is none.
    pub fn load(paths: &[PathBuf], wanted: &BTreeSet<MemberNumber>) -> Result<Self, DigestsError> {
        let mut files = Vec::new();
        for path in paths {
            let before = files.len();
            find(path, &mut files)?;
            if files.len() == before {
                return Err(DigestsError::Empty(path.clone()));
            }
        }
        let mut digests = Self::default();
        for path in files {
            let file = File::open(&path).map_err(|error| DigestsError::Unreadable { path: path.clone(), error })?;
            let digest = Digest::read(file).map_err(|reason| DigestsError::NoDigest { path, reason })?;
            digests.add(digest, wanted);
        }
        digests.settle();
        Ok(digests)
    }

    fn add(&mut self, digest: Digest, wanted: &BTreeSet<MemberNumber>) {
        let Digest { hour, lines, left_out } = digest;
        let is_wanted = |account: &MemberNumber| wanted.is_empty() || wanted.contains(account);
        self.read += 1;
        self.hours = Some(self.hours.map_or((hour, hour), |(first, last)| (first.min(hour), last.max(hour))));
        self.left_out.extend(left_out.into_iter().filter(is_wanted));
        for Line { account, views } in lines.into_iter().filter(|line| is_wanted(&line.account)) {
            self.accounts.entry(account).or_default().push(Attested { hour, views });
        }
    }

    fn settle(&mut self) {
        for attested in self.accounts.values_mut() {
            attested.sort_by_key(|attested| attested.hour);
            attested.dedup_by(|next, before| next.views == before.views);
        }
        self.left_out.retain(|account| !self.accounts.contains_key(account));
    }
}

fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), DigestsError> {
    let unreadable = |error| DigestsError::Unreadable { path: path.to_owned(), error };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let found = fs::read_dir(path).map_err(unreadable)?;
    let mut below = found.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    below.sort();
    for path in below {
        if path.is_dir() {
            find(&path, files)?;
        } else if path.to_string_lossy().ends_with(".ndjson.gz") {
            files.push(path);
        }
    }
    Ok(())
}

//! Writes a feed into a folder, so that what is there is complete or does not look so.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::batch::Batch;
use crate::expected::Expected;
use crate::manifest::Manifest;
use crate::options::{Batches, Options, Sending};
use crate::{EXPECTED_FILE, GenerateError, LEDGER_FILE, MANIFEST_FILE, MEMBERS_FILE, write_batches};

// What is written at once, in bytes: of a ledger also a line that is too long.
const FEW: usize = 8 * 1024;
const MANY: usize = 1024 * 1024;

/// Refuses a folder that has anything in it; one that is missing will be made.
///
/// # Errors
///
/// [`GenerateError::NotEmpty`], or [`GenerateError::Write`] where it cannot be looked into.
pub fn ensure_empty(dir: &Path) -> Result<(), GenerateError> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(GenerateError::NotEmpty(dir.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(dir)(error)),
    }
}

/// Writes a feed that is sent in this way into `dir`, which is made if missing; files of a feed already there
/// are replaced, others are left alone.
///
/// One batch is in `dir` itself, yearly ones are in folders of it that are named by their year. Data files get
/// their names when they are whole. Manifests go away first and come last, so that an interrupted run leaves
/// no batch that looks complete. `expected.json` is written with troubles only, where there is something
/// to expect. `progress` is told how many establishments are done.
///
/// # Errors
///
/// [`GenerateError::Options`] before anything is touched, [`GenerateError::Write`] for the disk's.
pub fn send(
    options: &Options,
    sending: Sending,
    dir: &Path,
    progress: impl FnMut(u32),
) -> Result<(Vec<Manifest>, Expected), GenerateError> {
    options.validate()?;
    sending.validate(options)?;
    let parts = sending.parts(options);
    let folders: Vec<PathBuf> = parts
        .iter()
        .map(|(_, days)| match sending.batches {
            Batches::Whole => dir.to_owned(),
            Batches::Yearly => dir.join(days.last.year().to_string()),
        })
        .collect();
    remove(&dir.join(EXPECTED_FILE))?;
    let mut batches = Vec::with_capacity(parts.len());
    for ((batch_id, days), folder) in parts.into_iter().zip(&folders) {
        fs::create_dir_all(folder).map_err(failed(folder))?;
        remove(&folder.join(MANIFEST_FILE))?;
        let [members, ledger] = [MEMBERS_FILE, LEDGER_FILE].map(|name| partial(&folder.join(name)));
        let create = |path: PathBuf, buffer| {
            File::create(&path).map(|file| BufWriter::with_capacity(buffer, file)).map_err(failed(&path))
        };
        batches.push(Batch::new(batch_id, days, create(members, FEW)?, create(ledger, MANY)?));
    }
    let (manifests, expected) = write_batches(options, sending, batches, progress).map_err(failed(dir))?;

    for folder in &folders {
        for name in [MEMBERS_FILE, LEDGER_FILE] {
            rename(&folder.join(name))?;
        }
    }
    if sending.troubles {
        write_whole(&dir.join(EXPECTED_FILE), &expected.to_json())?;
    }
    for (folder, manifest) in folders.iter().zip(&manifests) {
        write_whole(&folder.join(MANIFEST_FILE), &manifest.to_json())?;
    }
    Ok((manifests, expected))
}

fn remove(path: &Path) -> Result<(), GenerateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

fn write_whole(path: &Path, text: &str) -> Result<(), GenerateError> {
    let partial = partial(path);
    fs::write(&partial, text).map_err(failed(&partial))?;
    rename(path)
}

/// Gives a file that is whole its name.
fn rename(path: &Path) -> Result<(), GenerateError> {
    fs::rename(partial(path), path).map_err(failed(path))
}

fn partial(path: &Path) -> PathBuf {
    path.with_added_extension("partial")
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> GenerateError + use<> {
    let path = path.to_owned();
    move |source| GenerateError::Write { path, source }
}

//! Where the portal keeps what must outlive the process, and how files are written there so that a kill
//! at any moment leaves the old or the new content, never half of one.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where the data live.
#[derive(Debug, Clone, Default)]
pub enum Data {
    /// In memory; gone with the process.
    #[default]
    Memory,
    /// In a folder, made if it is not there.
    Folder(PathBuf),
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process uses it.
    #[error("the data folder {0} is in use by another portal")]
    Locked(PathBuf),
    /// It cannot be made or written.
    #[error("the data folder {path} cannot be used: {error}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// An opened place for data. The folder stays locked until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// The data folder; `None` in memory.
    root: Option<PathBuf>,
    /// What the S3 endpoint keeps on disk while everything else is in memory.
    temporary: Option<TempDir>,
    _lock: Option<File>,
}

impl Place {
    pub(crate) fn open(data: &Data) -> Result<Self, DataError> {
        match data {
            Data::Memory => {
                let folder = TempDir::with_prefix("portal-");
                let folder = folder.map_err(|error| DataError::Unusable { path: std::env::temp_dir(), error })?;
                Ok(Self { root: None, temporary: Some(folder), _lock: None })
            }
            Data::Folder(path) => {
                let unusable = |error| DataError::Unusable { path: path.clone(), error };
                make_private_folder(path).map_err(unusable)?;
                let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
                    .open(path.join("lock"))
                    .map_err(unusable)?;
                // Held by the open file, so a killed process leaves no stale lock behind.
                match lock.try_lock() {
                    Ok(()) => Ok(Self { root: Some(path.clone()), temporary: None, _lock: Some(lock) }),
                    Err(TryLockError::WouldBlock) => Err(DataError::Locked(path.clone())),
                    Err(TryLockError::Error(error)) => Err(unusable(error)),
                }
            }
        }
    }

    /// A file of the data folder; `None` in memory.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join(name))
    }

    /// A folder of the data folder, made if it is not there; `None` in memory.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<PathBuf>, DataError> {
        let Some(path) = self.file(name) else { return Ok(None) };
        match make_private_folder(&path) {
            Ok(()) => Ok(Some(path)),
            Err(error) => Err(DataError::Unusable { path, error }),
        }
    }

    /// A folder that is on disk in any case.
    pub(crate) fn disk_folder(&self, name: &str) -> Result<PathBuf, DataError> {
        let base = self.root.as_deref().or(self.temporary.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
        let path = base.join(name);
        make_private_folder(&path).map_err(|error| DataError::Unusable { path: path.clone(), error })?;
        Ok(path)
    }
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        fs::create_dir_all(path)?;
        // Mails with usable links and keys lie in there.
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a file readable by its owner only.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// The end of names of files that are not complete yet.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// Writes a file whole: under another name first, then renamed.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let mut file = private(OpenOptions::new().create(true).truncate(true).write(true)).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_data()?;
    fs::rename(unfinished, path)
}

/// A file's content; `None` where there is no such file.
pub(crate) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_by_one_portal_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::Folder(folder.path().join("new/one"));
        let first = Place::open(&data).unwrap();
        assert!(matches!(Place::open(&data), Err(DataError::Locked(_))));
        drop(first);
        Place::open(&data).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Place::open(&Data::Folder(file.path().to_owned())).unwrap_err();
        assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
    }

    #[test]
    fn files_are_private_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(read_if_there(&path).unwrap().unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(read_if_there(&folder.path().join("none")).unwrap().is_none());
    }
}

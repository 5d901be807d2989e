//! How far a stream was read, kept over a restart.

use std::io;
use std::path::PathBuf;

use crate::data::{read_if_there, write_whole};

/// A sequence number, in a file where there is a data folder. Empty before the first.
#[derive(Debug)]
pub(crate) struct Position {
    file: Option<PathBuf>,
    number: String,
}

impl Position {
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let known = file.as_deref().map(read_if_there).transpose()?.flatten().unwrap_or_default();
        let number = String::from_utf8(known).map_err(io::Error::other)?.trim().to_owned();
        Ok(Self { file, number })
    }

    pub(crate) fn get(&self) -> &str {
        &self.number
    }

    pub(crate) fn set(&mut self, number: &str) -> io::Result<()> {
        number.clone_into(&mut self.number);
        self.file.as_deref().map_or(Ok(()), |file| write_whole(file, number.as_bytes()))
    }
}

//! The files that the binary carries, listed by `build.rs`, so that it runs from any folder.

/// A file of the workspace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    /// Where it is in the workspace, with `/` between folders.
    pub(crate) path: &'static str,
    pub(crate) content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The file at `path`, if it is carried.
pub(crate) fn find(files: &[File], path: &str) -> Option<File> {
    files.iter().copied().find(|file| file.path == path)
}

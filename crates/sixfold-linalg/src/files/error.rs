//! What can go wrong with a file.

use std::path::{Path, PathBuf};

/// A file that cannot be read or written, or is not what it should be.
///
/// Apart from [`Error`](crate::Error), which is compared and cloned: the errors of the operating
/// system can do neither. Other crates turn both kinds into their own, one to one.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file could not be read or written.
    #[error("{}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {what}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
}

impl FileError {
    /// Names the file of an [`std::io::Error`], for `map_err`.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

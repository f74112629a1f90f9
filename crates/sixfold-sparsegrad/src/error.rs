//! The error type of the crate.

use std::path::{Path, PathBuf};

use sixfold_linalg::files::FileError;

/// What can go wrong with a sparse update.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A gradient, a weight or a score is NaN or infinite.
    #[error("{what} of `{path}` is not finite at entry {index}")]
    NotFinite {
        /// Path of the matrix; empty where it has none.
        path: String,
        /// What of it.
        what: &'static str,
        /// The first such entry, counted row by row.
        index: usize,
    },
    /// More entries to keep than there are.
    #[error("{k} entries cannot be kept of {size}")]
    TooMany {
        /// Entries to keep.
        k: usize,
        /// Entries of the core.
        size: usize,
    },
    /// A pattern that no projection has.
    #[error("no projection matches `{pattern}`; there are {}", .known.join(", "))]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// The paths of the model.
        known: Vec<String>,
    },
    /// A matrix, a basis or an adapter that does not fit another.
    #[error("{what} of `{path}` is {found:?}, expected {expected:?}")]
    Shape {
        /// Path of the matrix; empty where it has none.
        path: String,
        /// What of it.
        what: &'static str,
        /// The shape that fits.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// An adapter made for other weights or another basis.
    #[error("{}: made for {what} {expected}, this is {found}", .path.display())]
    Hash {
        /// The adapter.
        path: PathBuf,
        /// `base model` or `basis`.
        what: &'static str,
        /// SHA-256 of what it was made for.
        expected: String,
        /// SHA-256 of what is there.
        found: String,
    },
    /// No adapter has this name.
    #[error("no adapter is called `{name}`; there are {}", .known.join(", "))]
    NoAdapter {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A parameter is outside its range.
    #[error("{name} is {found}, expected {expected}")]
    InvalidParameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        found: f64,
        /// The range.
        expected: &'static str,
    },
    /// Settings that contradict each other.
    #[error("{}", .problems.join("; "))]
    Config {
        /// All problems, one each.
        problems: Vec<String>,
    },
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
    /// Host linear algebra failed.
    #[error(transparent)]
    Linalg(#[from] sixfold_linalg::Error),
    /// The model failed.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Model(#[from] sixfold_model::Error),
}

impl Error {
    /// Names the file of an [`std::io::Error`], for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Names the matrix, where the error has a place for it.
    #[cfg(feature = "model")]
    pub(crate) fn at(mut self, matrix: &str) -> Self {
        if let Self::NotFinite { path, .. } | Self::Shape { path, .. } = &mut self {
            matrix.clone_into(path);
        }
        self
    }

    /// A file that is not what it should be.
    pub(crate) fn malformed(path: &Path, what: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), what: what.into() }
    }
}

/// Checks one shape against another.
pub(crate) fn same_shape(
    what: &'static str,
    expected: [usize; 2],
    found: [usize; 2],
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_vec(), found.to_vec());
    Err(Error::Shape { path: String::new(), what, expected, found })
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, source } => Self::Io { path, source },
            FileError::Malformed { path, what } => Self::Malformed { path, what },
        }
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

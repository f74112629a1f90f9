//! The error type of the crate.

use std::path::{Path, PathBuf};

use sixfold_linalg::files::FileError;

/// What can go wrong with a compressed table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Factors, ranks and sizes that do not make a table.
    #[error("no tensor train has this shape: {}", .problems.join("; "))]
    Shape {
        /// All problems, one each.
        problems: Vec<String>,
    },
    /// A rank above what its unfolding can have.
    #[error(
        "rank {rank} between cores {} and {} cannot be reached: the unfolding there has rank {attainable} at most",
        .bond,
        .bond + 1
    )]
    Rank {
        /// Between cores `bond` and `bond + 1`, which count from 1.
        bond: usize,
        /// The rank asked for.
        rank: usize,
        /// The largest that an unfolding of these sizes has.
        attainable: usize,
    },
    /// A compression or a budget that no rank reaches.
    #[error("{budget} parameters are too few: rank 1 needs {smallest}")]
    Budget {
        /// The parameters allowed.
        budget: usize,
        /// Those of the smallest table of this form.
        smallest: usize,
    },
    /// An id that is no row of the table, though it may be one of its padding.
    #[error("id {id} at position {position} is not one of {vocab} rows")]
    Index {
        /// The id.
        id: i64,
        /// Where it stands in the batch.
        position: usize,
        /// Rows of the table.
        vocab: usize,
    },
    /// Bags whose ends are not ascending, or not within the ids.
    #[error("offset {offset} of bag {bag} {expected}")]
    Offsets {
        /// The bag.
        bag: usize,
        /// Where it begins.
        offset: i64,
        /// What is wrong with that.
        expected: &'static str,
    },
    /// A value is NaN or infinite.
    #[error("{what} is not finite at row {row}, column {column}")]
    NotFinite {
        /// The matrix.
        what: &'static str,
        /// Row of the first such value.
        row: usize,
        /// Column of the first such value.
        column: usize,
    },
    /// A number of values that does not fit.
    #[error("{what} has {found} values, expected {expected}")]
    Length {
        /// The argument.
        what: &'static str,
        /// The number that fits.
        expected: usize,
        /// The number it has.
        found: usize,
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
}

impl Error {
    /// Names the file of an [`std::io::Error`], for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// A file that is not what it should be.
    pub(crate) fn malformed(path: &Path, what: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), what: what.into() }
    }
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

//! The error type of the crate.

use std::path::PathBuf;

use sixfold_linalg::files::FileError;

/// What can go wrong with a cloud of points, its neighbours, or a file of either.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is NaN or infinite.
    #[error("{what} is not finite at row {row}, column {col}")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// Row of the first such value.
        row: usize,
        /// Column of the first such value.
        col: usize,
    },
    /// Too few points for the statistic.
    #[error("{what} needs at least {needed} points, found {found}")]
    TooFewPoints {
        /// The statistic.
        what: &'static str,
        /// Points found, after what had to be excluded.
        found: usize,
        /// Points needed.
        needed: usize,
    },
    /// All points are equal: there is neither a direction nor a distance.
    #[error("{what} is not defined: all {n} points are equal")]
    AllEqual {
        /// The statistic.
        what: &'static str,
        /// Points seen.
        n: usize,
    },
    /// All neighbours are at equal distances, as on a lattice: ratios say nothing.
    #[error("{what} is not defined: the neighbours of all {n} points are at equal distances")]
    EqualDistances {
        /// The statistic.
        what: &'static str,
        /// Points seen.
        n: usize,
    },
    /// The table of neighbours is too narrow.
    #[error("{what} needs {needed} neighbours of each point, the table has {found}")]
    TooFewNeighbours {
        /// The statistic.
        what: &'static str,
        /// Neighbours in the table.
        found: usize,
        /// Neighbours needed.
        needed: usize,
    },
    /// Two shapes do not fit together.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    ShapeMismatch {
        /// The argument.
        what: &'static str,
        /// The shape that fits.
        expected: [usize; 2],
        /// The shape it has.
        found: [usize; 2],
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
    /// A model failed.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Model(#[from] sixfold_model::Error),
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

//! The error type of the crate.

use std::path::{Path, PathBuf};

/// What can go wrong between a text and its word vectors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to learn from.
    #[error("{what} is empty: {reason}")]
    Empty {
        /// The corpus, the vocabulary, or the counts.
        what: &'static str,
        /// Why nothing is left, and what to change.
        reason: String,
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
    /// The optimisation left the range of numbers, or lost ground at every step length.
    #[error(
        "{what} diverged at iteration {iteration}: objective {objective:e}, step {step:e}; {hint}"
    )]
    Diverged {
        /// The method.
        what: &'static str,
        /// Iteration at which it was noticed.
        iteration: usize,
        /// The last objective.
        objective: f64,
        /// The last step length.
        step: f64,
        /// What to change.
        hint: &'static str,
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
    /// A word that the vocabulary does not have.
    #[error("the word `{word}` is not in the vocabulary")]
    UnknownWord {
        /// The word.
        word: String,
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

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

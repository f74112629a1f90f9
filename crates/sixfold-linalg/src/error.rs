//! The error of every fallible function of this crate.

/// What went wrong, with the figures that say where.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// An input holds a NaN or an infinity.
    #[error("{what} is not finite at row {row}, column {col}")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// Row of the first such value.
        row: usize,
        /// Column of the first such value; 0 for a vector.
        col: usize,
    },
    /// Two shapes do not fit together.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    ShapeMismatch {
        /// The argument.
        what: &'static str,
        /// The shape that fits, `[rows, columns]`.
        expected: [usize; 2],
        /// The shape it has.
        found: [usize; 2],
    },
    /// A matrix without rows or without columns has no decomposition.
    #[error("{what} is empty")]
    Empty {
        /// The argument.
        what: &'static str,
    },
    /// An iteration stopped before it reached its tolerance.
    #[error("{what} did not converge in {iterations} iterations")]
    NoConvergence {
        /// The algorithm.
        what: &'static str,
        /// Steps taken; 0 where the library below does not tell.
        iterations: usize,
    },
    /// A matrix that must be positive definite is not.
    #[error("{what} is not positive definite at pivot {pivot}")]
    NotPositiveDefinite {
        /// The argument.
        what: &'static str,
        /// Index of the first pivot that is not positive.
        pivot: usize,
    },
    /// Too few observations for the statistic.
    #[error("{found} rows, at least {needed} are needed")]
    TooFewRows {
        /// Rows seen.
        found: u64,
        /// Rows that the statistic needs.
        needed: u64,
    },
    /// All columns are constant: nothing varies that could be explained.
    #[error("{what} has no variance")]
    ZeroVariance {
        /// The argument.
        what: &'static str,
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
    /// Shift and scale cannot change once rows have been counted.
    #[error("the reference is fixed since {rows} rows have been counted")]
    ReferenceFixed {
        /// Rows counted.
        rows: u64,
    },
    /// A block of products came before any shift and scale.
    #[error("no reference: call set_reference or update first")]
    NoReference,
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn same_shape(
    what: &'static str,
    found: [usize; 2],
    expected: [usize; 2],
) -> Result<()> {
    if found == expected { Ok(()) } else { Err(Error::ShapeMismatch { what, expected, found }) }
}

//! The error type of the crate.

/// What can go wrong when a transition is scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Too few tokens for the statistic.
    #[error("{what} needs at least {needed} tokens, found {found}")]
    TooFewTokens {
        /// The statistic.
        what: &'static str,
        /// Tokens found.
        found: u64,
        /// Tokens needed.
        needed: u64,
    },
    /// All tokens are equal on one side: nothing varies that could be explained.
    #[error("{what} is not defined: all {n} tokens are equal {side}")]
    AllEqual {
        /// The statistic.
        what: &'static str,
        /// Tokens seen.
        n: u64,
        /// `before the layer` or `after the layer`.
        side: &'static str,
    },
    /// The two sides have not seen the same tokens.
    #[error("{x} tokens before the layer, {y} after it, {xy} together")]
    Unpaired {
        /// Tokens before the layer.
        x: u64,
        /// Tokens after the layer.
        y: u64,
        /// Tokens that were seen together.
        xy: u64,
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
    /// Host linear algebra failed.
    #[error(transparent)]
    Linalg(#[from] sixfold_linalg::Error),
    /// A model failed.
    #[cfg(feature = "model")]
    #[error(transparent)]
    Model(#[from] sixfold_model::Error),
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

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
    /// A span of layers that the model does not have.
    #[error("layers {}..{} of a model of {n_layers}", layers.start, layers.end)]
    NoSuchLayers {
        /// The span.
        layers: std::ops::Range<usize>,
        /// Layers of the model.
        n_layers: usize,
    },
    /// Two spans of a plan share a layer.
    #[error("layers {}..{} and {}..{} overlap", first.start, first.end, second.start, second.end)]
    Overlap {
        /// The one that begins first.
        first: std::ops::Range<usize>,
        /// The other.
        second: std::ops::Range<usize>,
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

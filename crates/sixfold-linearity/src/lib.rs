//! How linear a layer is: the share of its output that the best affine map of its input explains.
//!
//! | question | where |
//! |---|---|
//! | how linear is a transition, with and without the residual stream? | [`Transition::linearity`] |
//! | how much of the score would noise have? | [`Linearity::floor`], [`Linearity::adjusted`] |
//! | how sure is that? | [`LinearityIntervals`] |
//! | does the map hold on tokens that it has not seen? | [`AffineMap::score`] |
//! | which map is it? | [`Transition::affine_map`] |
//! | what does the paper's own code say? | [`compat`] |
//!
//! With the default feature `model`:
//!
//! | task | where |
//! |---|---|
//! | moments of any two sites, for maps of spans | [`PairTap`] |
//! | an affine map as a layer of the model | [`AffineMap::layer`] |
//! | take layers out, or put maps in their place | [`Surgery`], [`most_linear_first`] |
//! | train the maps to give what the layers gave | [`layerwise_mse`] |
//! | keep a model from becoming linear, or make it so | [`Regulariser`] |
//! | what each layer would predict | [`logit_lens`] |
//!
//! Scores are computed from streamed moments of `sixfold-linalg`: no activation is kept.

/// The examples of the README run as tests.
#[cfg(all(doctest, feature = "model"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod compat;
#[cfg(feature = "model")]
mod distil;
mod error;
mod interval;
#[cfg(feature = "model")]
mod lens;
mod map;
#[cfg(feature = "model")]
mod pair;
#[cfg(feature = "model")]
mod regulariser;
#[cfg(feature = "model")]
mod replace;
mod transition;

#[cfg(feature = "model")]
pub use distil::layerwise_mse;
pub use error::{Error, Result};
pub use interval::LinearityIntervals;
#[cfg(feature = "model")]
pub use lens::{LensLayer, logit_lens};
pub use map::AffineMap;
#[cfg(feature = "model")]
pub use pair::{PairTap, SpanMoments};
#[cfg(feature = "model")]
pub use regulariser::{Regulariser, RegulariserTap, UnknownRegulariser};
#[cfg(feature = "model")]
pub use replace::{Surgery, most_linear_first, spans};
pub use transition::{Linearity, Transition};

//! The measures of the first experiments, from streamed moments.
//!
//! They move to `sixfold-linearity` and `sixfold-geometry` when those crates come; the lab keeps
//! no copy then.

pub(crate) mod geometry;
pub(crate) mod linearity;

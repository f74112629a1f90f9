//! Anisotropy and intrinsic dimension of clouds of points: embeddings of a language model, or any
//! matrix of rows.
//!
//! | question | where |
//! |---|---|
//! | how is the variance spread over directions? | [`cloud`]: one streaming state, every spectral score |
//! | which points are nearest to each other? | [`knn`]: exact, blocked, in little memory |
//! | how many dimensions does the cloud have? | [`dimension`]: estimators on one table of neighbours |
//! | do two layers see the same neighbours? | [`compare`]: overlap, information imbalance |
//! | can an estimator be trusted? | [`manifolds`]: clouds of known dimension |
//! | how do I read my matrix? | [`files`]: `.npy` and `.safetensors`, memory-mapped |
//!
//! Everything computes on `ndarray` views; with the default feature `model`, taps feed it from a
//! model of `sixfold-model`.

/// The examples of the README run as tests.
#[cfg(all(doctest, feature = "model"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod cloud;
pub mod compare;
pub mod dimension;
mod error;
pub mod knn;
pub mod manifolds;
#[cfg(feature = "model")]
mod tap;

pub use cloud::Cloud;
pub use error::{Error, Result};
pub use knn::{Neighbours, neighbours};
pub use sixfold_linalg::files;
#[cfg(feature = "model")]
pub use tap::CloudTap;

//! Embedding tables in tensor-train and tensor-ring form.
//!
//! | what | where |
//! |---|---|
//! | sizes: factors of rows and columns, ranks, planners | [`TtShape`], [`shape`] |
//! | the numbers, and what they begin with | [`Cores`], [`init`], [`QuantisedCores`] |
//! | rows of ids and their gradient, without the table | [`lookup`], [`bags`] |
//! | a tied head: logits, cross-entropy | [`logits`] |
//! | from a dense table, and arithmetic | [`decompose`](mod@decompose), [`Cores::round`], [`order`] |
//! | files | [`files`] |
//! | layers and their operations on devices | `TtEmbedding`, `TtEmbeddingBag`, `TtLinear`, `baselines`, `ops` |
//!
//! Everything but the layers works without burn; the default feature `model` adds them. On CPUs results are the
//! same to the last bit for any number of threads.

/// The examples of the README run as tests.
#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod algebra;
pub mod bags;
mod cores;
pub mod decompose;
mod error;
pub mod files;
pub mod init;
pub mod logits;
pub mod lookup;
#[cfg(feature = "model")]
mod modules;
#[cfg(feature = "model")]
pub mod ops;
pub mod order;
mod quantised;
pub mod shape;

pub use cores::Cores;
pub use decompose::{Decomposition, Target, decompose};
pub use error::{Error, Result};
pub use init::Initializer;
#[cfg(feature = "model")]
pub use modules::{
    BagMode, Contraction, TrEmbedding, TtEmbedding, TtEmbeddingBag, TtEmbeddingConfig, TtLinear,
    baselines,
};
pub use order::Order;
pub use quantised::{Precision, QuantisedCores};
pub use shape::TtShape;

//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.
//!
//! | step | where |
//! |---|---|
//! | from a text to counts of co-occurrences | [`corpus`], [`counting`], [`phrases`] |
//! | what is maximised, and its bound | [`Objective`] |
//! | products with its gradient, without the matrix | [`sweep`], and `ops` on devices |
//! | the optimisation, its start, its states | [`Solver`], [`initial`], [`State`], [`FixedRank`] |
//! | what it is compared with | [`Sppmi`], [`stochastic`] |
//! | vectors, neighbours, scores, files | [`vectors`], [`evaluation`], [`formats`] |
//!
//! Everything works on the host; the default feature `model` adds sweeps on the devices of
//! `sixfold-model`. Results are the same to the last bit for any number of threads.

/// The examples of the README are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod container;
pub mod corpus;
pub mod counting;
mod counts;
mod error;
pub mod evaluation;
pub mod formats;
pub mod initial;
mod manifold;
mod objective;
#[cfg(feature = "model")]
pub mod ops;
mod parts;
pub mod phrases;
mod solver;
mod spill;
mod sppmi;
pub mod stochastic;
pub mod sweep;
pub mod vectors;
mod vocabulary;

pub use counts::Counts;
pub use error::{Error, Result};
pub use manifold::{FixedRank, Tangent};
pub use objective::{Objective, ObjectiveConfig};
pub use solver::{Direction, Metric, Solver, SolverConfig, State, Step, StepSize};
pub use sppmi::Sppmi;
pub use vectors::{Factors, VectorsConfig, WordVectors};
pub use vocabulary::Vocabulary;

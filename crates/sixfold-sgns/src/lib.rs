//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.

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

//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.

mod container;
pub mod corpus;
pub mod counting;
mod counts;
mod error;
pub mod evaluation;
pub mod formats;
mod manifold;
mod objective;
mod parts;
pub mod phrases;
mod spill;
pub mod stochastic;
pub mod sweep;
pub mod vectors;
mod vocabulary;

pub use counts::Counts;
pub use error::{Error, Result};
pub use manifold::{FixedRank, Tangent};
pub use objective::{Objective, ObjectiveConfig};
pub use vectors::{Factors, VectorsConfig, WordVectors};
pub use vocabulary::Vocabulary;

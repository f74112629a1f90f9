//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.

mod atomic;
mod container;
pub mod corpus;
pub mod counting;
mod counts;
mod error;
mod parts;
pub mod phrases;
mod spill;
mod vocabulary;

pub use counts::Counts;
pub use error::{Error, Result};
pub use vocabulary::Vocabulary;

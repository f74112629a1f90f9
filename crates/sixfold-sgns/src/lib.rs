//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.

mod counts;
mod error;
mod objective;
pub mod sweep;
mod vocabulary;

pub use counts::Counts;
pub use error::{Error, Result};
pub use objective::{Objective, ObjectiveConfig};
pub use vocabulary::Vocabulary;

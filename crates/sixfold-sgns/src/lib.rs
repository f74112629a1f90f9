//! Word embeddings by Riemannian optimisation of the skip-gram negative-sampling objective.

mod counts;
mod error;
mod vocabulary;

pub use counts::Counts;
pub use error::{Error, Result};
pub use vocabulary::Vocabulary;

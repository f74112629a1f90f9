//! Word vectors, their neighbours, and how they come from a factorisation.
//!
//! [`Factors`] are the SVD that the optimisation leaves behind; [`Factors::vectors`] makes
//! [`WordVectors`] of it. An [`Index`] answers questions about neighbours.

mod factors;
mod index;
mod search;
mod word_vectors;

pub use factors::{Factors, VectorsConfig};
pub(crate) use index::EPSILON;
pub use index::{Index, Similar};
pub use word_vectors::WordVectors;
pub(crate) use word_vectors::{cosine, norm};

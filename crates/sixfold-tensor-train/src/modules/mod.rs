//! Layers of burn.

mod bag;
mod embedding;

pub use bag::{BagMode, TtEmbeddingBag};
pub use embedding::{TrEmbedding, TtEmbedding};

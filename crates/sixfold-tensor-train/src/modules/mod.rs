//! Layers of burn.

mod bag;
pub mod baselines;
mod config;
mod embedding;
mod linear;

pub use bag::{BagMode, TtEmbeddingBag};
pub use config::TtEmbeddingConfig;
pub use embedding::{TrEmbedding, TtEmbedding};
pub use linear::{Contraction, TtLinear};

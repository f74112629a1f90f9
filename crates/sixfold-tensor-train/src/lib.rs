//! Embedding tables in tensor-train and tensor-ring form.

pub mod bags;
mod cores;
mod error;
pub mod logits;
pub mod lookup;
#[cfg(feature = "model")]
mod modules;
#[cfg(feature = "model")]
pub mod ops;
pub mod shape;

pub use cores::Cores;
pub use error::{Error, Result};
#[cfg(feature = "model")]
pub use modules::{BagMode, TrEmbedding, TtEmbedding, TtEmbeddingBag};
pub use shape::TtShape;

//! Embedding tables in tensor-train and tensor-ring form.

pub mod bags;
mod cores;
mod error;
pub mod files;
pub mod init;
pub mod logits;
pub mod lookup;
#[cfg(feature = "model")]
mod modules;
#[cfg(feature = "model")]
pub mod ops;
mod quantised;
pub mod shape;

pub use cores::Cores;
pub use error::{Error, Result};
pub use init::Initializer;
#[cfg(feature = "model")]
pub use modules::{BagMode, TrEmbedding, TtEmbedding, TtEmbeddingBag};
pub use quantised::{Precision, QuantisedCores};
pub use shape::TtShape;

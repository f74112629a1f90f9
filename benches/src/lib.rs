//! What the benches share: models of known shapes, inputs of known sizes, and one side of the
//! comparison with others.

#[cfg(feature = "model")]
mod models;
pub mod peer;
pub mod points;
pub mod product;
pub mod tables;
#[cfg(feature = "model")]
pub mod tuning;

#[cfg(feature = "model")]
pub use models::{batch, bert_base, minilm, stories, two_classes};

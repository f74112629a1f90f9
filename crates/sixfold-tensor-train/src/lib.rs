//! Embedding tables in tensor-train and tensor-ring form.

mod cores;
mod error;
pub mod logits;
pub mod lookup;
#[cfg(feature = "model")]
pub mod ops;
pub mod shape;

pub use cores::Cores;
pub use error::{Error, Result};
pub use shape::TtShape;

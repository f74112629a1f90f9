//! Embedding tables in tensor-train and tensor-ring form.

mod cores;
mod error;
pub mod lookup;
pub mod shape;

pub use cores::Cores;
pub use error::{Error, Result};
pub use shape::TtShape;

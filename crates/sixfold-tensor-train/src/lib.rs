//! Embedding tables in tensor-train and tensor-ring form.

mod algebra;
mod cores;
pub mod decompose;
mod error;
pub mod lookup;
pub mod order;
pub mod shape;

pub use cores::Cores;
pub use decompose::{Decomposition, Target, decompose};
pub use error::{Error, Result};
pub use order::Order;
pub use shape::TtShape;

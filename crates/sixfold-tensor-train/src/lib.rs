//! Embedding tables in tensor-train and tensor-ring form.

mod cores;
mod error;
pub mod files;
pub mod init;
pub mod lookup;
mod quantised;
pub mod shape;

pub use cores::Cores;
pub use error::{Error, Result};
pub use init::Initializer;
pub use quantised::{Precision, QuantisedCores};
pub use shape::TtShape;

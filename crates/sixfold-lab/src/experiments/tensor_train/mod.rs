//! The experiments of `sixfold-tensor-train`.

mod compress;

pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};

//! The experiments of `sixfold-tensor-train`.

mod compress;
mod tables;

pub use compress::{Compress, CompressConfig, GlueRef, OrderName, TableRef};
pub use tables::{Choice, Form, UnknownTable};

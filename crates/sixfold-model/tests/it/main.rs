//! Integration tests of `sixfold-model`.

mod harness;
#[cfg(feature = "hub")]
mod hub;
mod checkpoint;
mod generation;
mod parity;
mod real_models;

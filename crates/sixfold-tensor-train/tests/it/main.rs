//! The oracles of tensor trains.

mod common;
mod gradient;
mod logits;
mod lookup;
#[cfg(feature = "model")]
mod ops;
mod shape;

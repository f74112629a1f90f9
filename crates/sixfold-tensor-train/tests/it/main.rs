//! The oracles of tensor trains.

mod bags;
mod common;
mod files;
mod gradient;
mod init;
mod logits;
mod lookup;
#[cfg(feature = "model")]
mod ops;
mod quantised;
mod shape;

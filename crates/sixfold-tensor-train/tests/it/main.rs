//! The oracles of tensor trains.

mod algebra;
mod bags;
mod common;
mod decompose;
mod files;
mod gradient;
mod init;
mod logits;
mod lookup;
#[cfg(feature = "model")]
mod modules;
#[cfg(feature = "model")]
mod ops;
mod order;
mod program;
mod quantised;
mod shape;

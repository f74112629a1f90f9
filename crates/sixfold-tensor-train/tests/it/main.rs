//! The oracles of tensor trains.

mod common;
mod gradient;
mod logits;
mod lookup;
mod shape;

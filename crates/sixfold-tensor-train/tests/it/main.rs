//! The oracles of tensor trains.

mod common;
mod gradient;
mod lookup;
mod shape;

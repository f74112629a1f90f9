//! The oracles of tensor trains.

mod common;
mod decompose;
mod gradient;
mod lookup;
mod shape;

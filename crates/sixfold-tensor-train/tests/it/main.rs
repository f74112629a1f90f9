//! The oracles of tensor trains.

mod algebra;
mod common;
mod decompose;
mod gradient;
mod lookup;
mod order;
mod shape;

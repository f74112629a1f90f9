//! Tests of what the crate offers, on files that other programs wrote and against brute force.

#![expect(clippy::float_cmp, reason = "what is read must be what was written, to the last bit")]

mod corrupt;
mod counting;
mod evaluation;
mod formats;
mod golden;
mod manifold;
mod neighbours;
mod objective;
#[cfg(feature = "model")]
mod ops;
mod phrases;
mod problems;
mod program;
mod shards;
mod solver;
mod stochastic;

//! Tests of what the crate offers, on files that other programs wrote and against brute force.

mod corrupt;
mod evaluation;
mod formats;
mod golden;
mod neighbours;

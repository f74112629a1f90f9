//! Tests of the runner through its library and its binary.

mod binary;
mod geometry;
mod interrupt;
mod overrides;
mod runs;
mod synthetic;

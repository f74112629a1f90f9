//! Tests of the runner through its library and its binary.

mod binary;
mod checkpoints;
mod geometry;
mod interrupt;
mod linearity;
mod overrides;
mod runs;
mod sgns;
mod started;
mod swapped;
mod synthetic;
mod tensor_train;

//! Tests of the runner through its library and its binary.

mod again;
mod binary;
mod checkpoints;
mod geometry;
mod interrupt;
mod linearity;
mod overrides;
mod runs;
mod sgns;
mod sparsegrad;
mod started;
mod swapped;
mod synthetic;
mod tensor_train;
mod triggers;

/// As in the binary, so that what runs here is counted too.
#[global_allocator]
static ALLOCATOR: sixfold_lab::heap::Counting = sixfold_lab::heap::Counting;

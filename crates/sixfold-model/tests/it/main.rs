//! Integration tests of `sixfold-model`.

mod harness;
mod checkpoint;
mod generation;
mod parity;
mod real_models;

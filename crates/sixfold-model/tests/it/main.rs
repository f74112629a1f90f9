//! Integration tests of `sixfold-model`.

mod checkpoint;
mod devices;
mod generation;
mod harness;
#[cfg(feature = "hub")]
mod hub;
mod parity;
mod parts;
mod real_models;
mod seq2seq;
mod stats;
mod taps;
mod tokenizing;

//! Integration tests of `sixfold-model`.

mod checkpoint;
mod devices;
mod dual;
mod finetune;
mod generation;
mod harness;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "flex")]
mod narrow;
mod ops;
mod parity;
mod parts;
mod real_models;
mod rte;
mod sample;
mod seq2seq;
mod stats;
mod surgery;
mod taps;
mod tokenizing;
mod train_common;
mod train_loop;
mod train_optimizer;
mod train_pieces;
mod train_resume;

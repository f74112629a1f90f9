//! Integration tests of `sixfold-model`.

mod harness;
mod parity;

//! Integration tests, one binary.

mod counting;
mod program;
mod shards;

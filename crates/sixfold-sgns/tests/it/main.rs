//! Integration tests, one binary.

mod counting;
mod phrases;
mod program;
mod shards;

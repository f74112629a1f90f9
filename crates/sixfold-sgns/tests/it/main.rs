//! Integration tests, one binary.

mod counting;
mod shards;

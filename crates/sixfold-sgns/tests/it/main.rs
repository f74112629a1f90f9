//! Integration tests, one binary.

mod counting;

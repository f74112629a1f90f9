//! Tests of the public interface, one module a topic.

mod compat;
mod decimation;
mod gride;
mod support;
mod table;
mod two_nn;

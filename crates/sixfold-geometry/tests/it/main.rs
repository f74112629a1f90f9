//! Tests of the public interface, one module a topic.

mod cloud;
mod stream;
mod table;
#[cfg(feature = "model")]
mod tap;

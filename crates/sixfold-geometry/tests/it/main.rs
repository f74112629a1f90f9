//! Tests of the public interface, one module a topic.

mod files;
mod table;

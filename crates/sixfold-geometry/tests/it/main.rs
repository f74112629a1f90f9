//! Tests of the public interface, one module a topic.

mod compare;
#[cfg(feature = "model")]
mod device;
mod knn;
mod knn_counts;
mod table;

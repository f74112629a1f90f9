//! Tests of the public interface, one module a topic.

mod knn;
mod knn_counts;
mod table;

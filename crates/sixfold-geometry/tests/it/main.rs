//! Tests of the public interface, one module a topic.

mod compare;
mod knn;
mod knn_counts;
mod table;

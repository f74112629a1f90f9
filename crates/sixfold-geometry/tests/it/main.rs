//! Tests of the public interface, one module a topic.

mod compare;
mod compat;
mod decimation;
mod estimators;
mod golden_estimators;
mod gride;
mod knn;
mod knn_counts;
mod manifolds;
mod support;
mod table;
mod table_of_truth;
mod two_nn;

//! Tests of the public interface, one module a topic.

mod compat;
mod decimation;
mod estimators;
mod golden_estimators;
mod gride;
mod knn;
mod manifolds;
mod support;
mod table;
mod table_of_truth;
mod two_nn;

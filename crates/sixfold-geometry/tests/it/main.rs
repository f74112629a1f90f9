//! Tests of the public interface, one module a topic.

mod estimators;
mod golden_estimators;
mod knn;
mod manifolds;
mod table;
mod table_of_truth;

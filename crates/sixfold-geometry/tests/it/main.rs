//! Tests of the public interface, one module a topic.

mod estimators;
mod files;
mod golden_estimators;
mod knn;
mod manifolds;
mod table;
mod table_of_truth;

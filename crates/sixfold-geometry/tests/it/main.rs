//! Tests of the public interface, one module a topic.

mod estimators;
mod manifolds;
mod knn;
mod table;

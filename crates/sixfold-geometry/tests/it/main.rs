//! Tests of the public interface, one module a topic.

mod cloud;
mod compare;
mod compat;
mod coverage;
mod decimation;
#[cfg(feature = "model")]
mod device;
mod estimators;
mod files;
mod golden_estimators;
mod golden_two_nn;
mod gride;
mod knn;
mod knn_counts;
mod manifolds;
mod stream;
mod support;
mod table;
mod table_of_truth;
#[cfg(feature = "model")]
mod tap;
mod two_nn;

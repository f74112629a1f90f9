//! Tests of the public interface, one module a topic.

mod clouds;
mod compat;
mod errors;
mod identities;
mod intervals;
mod known;
#[cfg(feature = "model")]
mod model;
mod noise;
#[cfg(feature = "model")]
mod replace;
mod streaming;

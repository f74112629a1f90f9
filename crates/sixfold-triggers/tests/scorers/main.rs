//! The scorers on classifiers of four families, against f64 and against each other.
#![cfg(feature = "flex")]

mod common;
mod compat;
mod layerwise;
mod loss;
mod profile;
mod victim;

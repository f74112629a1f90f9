//! Clouds of known dimension: what an estimator is judged by.
//!
//! [`Manifold`] holds the benchmark of Hein, Audibert and Campadelli, on which estimators are
//! compared since 2005; [`sphere`], [`torus`] and [`gaussian`] are the plain shapes of any dimension.
//! Every cloud is drawn from ChaCha8, so that a seed gives the same points on every machine.

mod benchmark;
mod formulas;
mod shapes;

pub use benchmark::Manifold;
pub use shapes::{gaussian, sphere, torus};

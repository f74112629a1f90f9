//! The experiments of `sixfold-geometry`.

pub mod manifolds;
pub mod profile;
pub mod training;

mod claims;
mod estimator;
mod probe;
mod score;

pub use estimator::Estimator;
pub use manifolds::Manifolds;
pub use profile::Profile;
pub use score::{Control, Score};
pub use training::Training;

//! Intrinsic dimension: estimators on one table of neighbours.

mod estimate;
mod levina_bickel;
mod local;
mod mada;
mod mom;

pub use estimate::{Caution, Dimension};
pub use levina_bickel::{LevinaBickelConfig, levina_bickel, levina_bickel_at_points};
pub use local::{LocalDimensions, Mean};
pub use mada::{MadaConfig, mada, mada_at_points};
pub use mom::{MomConfig, mom, mom_at_points};

//! Intrinsic dimension: estimators on one table of neighbours.

pub mod compat;
mod correlation;
mod decimation;
mod dependence;
mod estimate;
mod gride;
mod interval;
mod levina_bickel;
mod local;
mod local_pca;
mod mada;
mod mom;
mod neighbourhood;
mod ratios;
mod tle;
mod two_nn;

pub use correlation::{CorrelationConfig, correlation_dimension};
pub use decimation::{DecimationConfig, DecimationStep, decimation_scan};
pub use estimate::{Caution, Dimension};
pub use gride::{GrideStep, gride, gride_scan};
pub use interval::Interval;
pub use levina_bickel::{LevinaBickelConfig, levina_bickel, levina_bickel_at_points};
pub use local::{LocalDimensions, Mean};
pub use local_pca::{LocalPcaConfig, PcaRule, local_pca, local_pca_at_points};
pub use mada::{MadaConfig, mada, mada_at_points};
pub use mom::{MomConfig, mom, mom_at_points};
pub use tle::{TleConfig, tle, tle_at_points};
pub use two_nn::{TwoNnConfig, TwoNnMethod, two_nn, two_nn_of_distances};

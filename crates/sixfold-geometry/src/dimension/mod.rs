//! Intrinsic dimension: estimators on one table of neighbours.
//!
//! | question | take |
//! |---|---|
//! | one number at the finest scale | [`two_nn`], by maximum likelihood |
//! | the same, comparable with published fits | [`two_nn`] with [`TwoNnMethod::Fit`], [`compat`] |
//! | the same with a prior, for very few points | [`two_nn_posterior`] |
//! | does it depend on the scale? | [`gride_scan`] on one table, [`decimation_scan`] on parts of the cloud |
//! | a smaller error, at a coarser scale | [`levina_bickel`]; [`tle`] from few neighbours |
//! | the dimension around each point, for a heat map | [`levina_bickel_at_points`], [`tle_at_points`] |
//! | the linear span of neighbourhoods | [`local_pca`] |
//! | numbers that others report | [`mom`], [`mada`], [`correlation_dimension`], [`fisher_separability`] |
//!
//! `examples/estimators.rs` prints all of them beside the truth on seventeen manifolds.
//!
//! An estimate that falls steadily with the scale tells of noise that fills all coordinates, or of
//! a dimension too large for so few points; a plateau is what to report. Near log₂ n every
//! estimator from neighbours sinks below the truth: [`Caution::FewPoints`] says so.
//!
//! **Intervals.** [`Interval::Honest`], the default, is where the estimate would fall for another
//! draw of as many points; it counts that near points share neighbours. [`Interval::Exact`] takes
//! points for independent, as the papers do, and holds the estimator's own mean 83–94 times in 100
//! instead of 95. Neither knows of an estimator's bias: they hold what it would give on average,
//! which in many dimensions is less than the truth.

pub mod compat;
mod correlation;
mod decimation;
mod dependence;
mod estimate;
mod fisher;
mod gride;
mod interval;
mod levina_bickel;
mod local;
mod local_pca;
mod mada;
mod mom;
mod neighbourhood;
mod posterior;
mod ratios;
mod tle;
mod two_nn;

pub use correlation::{CorrelationConfig, correlation_dimension};
pub use decimation::{DecimationConfig, DecimationStep, decimation_scan};
pub use estimate::{Caution, Dimension};
pub use fisher::{FisherConfig, fisher_separability};
pub use gride::{GrideStep, gride, gride_scan};
pub use interval::Interval;
pub use levina_bickel::{LevinaBickelConfig, levina_bickel, levina_bickel_at_points};
pub use local::{LocalDimensions, Mean};
pub use local_pca::{LocalPcaConfig, PcaRule, local_pca, local_pca_at_points};
pub use mada::{MadaConfig, mada, mada_at_points};
pub use mom::{MomConfig, mom, mom_at_points};
pub use posterior::{GammaPrior, two_nn_posterior};
pub use tle::{TleConfig, tle, tle_at_points};
pub use two_nn::{TwoNnConfig, TwoNnMethod, two_nn, two_nn_of_distances};

//! The method of moments.

use super::Dimension;
use super::local::{self, LocalDimensions, Mean};
use crate::{Neighbours, Result};

/// How [`mom`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct MomConfig {
    /// Neighbours of each point. (`scikit-dimension` takes 100.)
    pub k: usize,
    /// How points are averaged.
    pub mean: Mean,
}

impl Default for MomConfig {
    fn default() -> Self {
        Self { k: 20, mean: Mean::Arithmetic }
    }
}

/// Intrinsic dimension by the method of moments.
///
/// dᵢ = m/(rₖ − m) with m = (r₁ + … + rₖ)/k, for the mean distance in a ball is rₖ·d/(d + 1); then their mean.
///
/// Copies and ties are treated as in [`levina_bickel`](super::levina_bickel).
///
/// # Errors
/// Those of [`levina_bickel`](super::levina_bickel).
///
/// # Complexity
/// O(n·k).
///
/// # References
/// Amsaleg et al. 2018, *Extreme-value-theoretic estimation of local intrinsic dimensionality*, §5.2.
#[doc(alias = "MOM")]
#[doc(alias = "method_of_moments")]
pub fn mom(table: &Neighbours, config: &MomConfig) -> Result<Dimension> {
    mom_at_points(table, config)?.summary(table, config.mean)
}

/// The dimension around each point: the dᵢ of [`mom`].
///
/// # Errors
/// Those of [`mom`].
///
/// # Complexity
/// O(n·k).
pub fn mom_at_points(table: &Neighbours, config: &MomConfig) -> Result<LocalDimensions> {
    local::at_least("k", config.k, 2, "≥ 2")?;
    local::from_distances(table, config.k, "method of moments", |r| {
        let mean = r.iter().sum::<f64>() / r.len() as f64;
        mean / (r[r.len() - 1] - mean).max(0.0)
    })
}

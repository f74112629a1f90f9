//! Manifold-adaptive dimension estimation.

use std::f64::consts::LN_2;

use super::Dimension;
use super::local::{self, LocalDimensions, Mean};
use crate::{Neighbours, Result};

/// How [`mada`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct MadaConfig {
    /// Neighbours of each point: radii at ranks k and ⌊k/2⌋.
    pub k: usize,
    /// How points are averaged.
    pub mean: Mean,
}

impl Default for MadaConfig {
    fn default() -> Self {
        Self { k: 20, mean: Mean::Arithmetic }
    }
}

/// Intrinsic dimension from two radii: twice the neighbours need 2^(1/d) times the radius.
///
/// dᵢ = ln 2 / ln(rₖ/r₍ₖ/₂₎), then their mean.
///
/// Copies and ties are treated as in [`levina_bickel`](super::levina_bickel). (`scikit-dimension`
/// drops zero distances and takes the ranks among the rest.)
///
/// # Errors
/// Those of [`levina_bickel`](super::levina_bickel).
///
/// # Complexity
/// O(n).
///
/// # References
/// Farahmand, Szepesvári and Audibert 2007, *Manifold-adaptive dimension estimation*, equation (2).
#[doc(alias = "MADA")]
pub fn mada(table: &Neighbours, config: &MadaConfig) -> Result<Dimension> {
    mada_at_points(table, config)?.summary(table, config.mean)
}

/// The dimension around each point: the dᵢ of [`mada`].
///
/// # Errors
/// Those of [`mada`].
///
/// # Complexity
/// O(n).
pub fn mada_at_points(table: &Neighbours, config: &MadaConfig) -> Result<LocalDimensions> {
    local::at_least("k", config.k, 2, "≥ 2")?;
    local::from_distances(table, config.k, "MADA", |r| {
        LN_2 / (r[r.len() - 1] / r[r.len() / 2 - 1]).ln()
    })
}

//! Levina and Bickel's maximum likelihood.

use super::Dimension;
use super::local::{self, LocalDimensions, Mean};
use crate::{Neighbours, Result};

/// How [`levina_bickel`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct LevinaBickelConfig {
    /// Neighbours of each point.
    pub k: usize,
    /// How points are averaged. The harmonic mean is maximum likelihood for the cloud (MacKay and
    /// Ghahramani); the arithmetic one is the paper's.
    pub mean: Mean,
    /// Whether a point's value is (k − 2)/Σ instead of (k − 1)/Σ: its expectation is then d. Meant
    /// for the arithmetic mean and for single points; the harmonic mean needs no correction.
    pub unbiased: bool,
}

impl Default for LevinaBickelConfig {
    fn default() -> Self {
        Self { k: 20, mean: Mean::Harmonic, unbiased: false }
    }
}

/// Intrinsic dimension by maximum likelihood on the k nearest neighbours.
///
/// dᵢ = (k − 1) / Σ_{j<k} ln(rₖ/rⱼ) of each point, then their harmonic or arithmetic mean.
///
/// Points that have a copy among their k neighbours are left out, and so are points whose k distances
/// are all equal; both are counted in the cautions. The interval accounts for the sampling of points
/// and not for the bias of curvature and boundaries, which grows with k.
///
/// # Errors
/// [`Error::TooFewNeighbours`](crate::Error::TooFewNeighbours) for a table with fewer than k,
/// [`Error::TooFewPoints`](crate::Error::TooFewPoints) when fewer than two points are left,
/// [`Error::InvalidParameter`](crate::Error::InvalidParameter) for k < 2 (3 if unbiased).
///
/// # Complexity
/// O(n·k).
///
/// # References
/// Levina and Bickel 2004, *Maximum likelihood estimation of intrinsic dimension*, equations (8)–(10);
/// MacKay and Ghahramani 2005, *Comments on "Maximum likelihood estimation of intrinsic dimension"*.
///
/// ```
/// use sixfold_geometry::dimension::{LevinaBickelConfig, levina_bickel};
/// use sixfold_geometry::{manifolds, neighbours};
///
/// let x = manifolds::torus(1000, 2, 0);
/// let table = neighbours(x.view(), 20)?;
/// let found = levina_bickel(&table, &LevinaBickelConfig::default())?;
/// assert!((found.value - 2.0).abs() < 0.1);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "MLE")]
#[doc(alias = "maximum_likelihood")]
pub fn levina_bickel(table: &Neighbours, config: &LevinaBickelConfig) -> Result<Dimension> {
    levina_bickel_at_points(table, config)?.summary(table, config.mean)
}

/// The dimension around each point: the dᵢ of [`levina_bickel`].
///
/// # Errors
/// Those of [`levina_bickel`].
///
/// # Complexity
/// O(n·k).
#[doc(alias = "LID")]
pub fn levina_bickel_at_points(
    table: &Neighbours,
    config: &LevinaBickelConfig,
) -> Result<LocalDimensions> {
    let lost = if config.unbiased { 2 } else { 1 };
    local::at_least("k", config.k, lost + 1, "≥ 2, or 3 if unbiased")?;
    local::from_distances(table, config.k, "Levina–Bickel", |r| {
        let last = r[r.len() - 1];
        let logs: f64 = r.iter().map(|distance| (last / distance).ln()).sum();
        (r.len() - lost) as f64 / logs
    })
}

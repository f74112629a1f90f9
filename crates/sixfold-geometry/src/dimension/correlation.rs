//! The correlation dimension.

use ndarray::ArrayView2;
use sixfold_linalg::Real;

use super::local::{at_least, median};
use super::ratios::all_equal;
use super::{Caution, Dimension, neighbourhood};
use crate::knn::pair_counts;
use crate::{Error, Neighbours, Result};

/// At which two radii [`correlation_dimension`] counts pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelationConfig {
    /// The inner radius is the median distance to this neighbour.
    pub k1: usize,
    /// The outer radius is the median distance to this neighbour.
    pub k2: usize,
}

impl Default for CorrelationConfig {
    fn default() -> Self {
        Self { k1: 10, k2: 20 }
    }
}

/// Intrinsic dimension by the correlation integral C(r), the share of pairs nearer than r.
///
/// d = ln(C(R₂)/C(R₁)) / ln(R₂/R₁), where R is the median distance to the k-th neighbour.
///
/// Its radii are the same everywhere, so that dense regions weigh more than in estimators that look
/// at k neighbours of each point. Copies count as pairs: many of them make it smaller, and a caution
/// says how many points have one.
///
/// # Shapes
/// `x` is `[n, d]`: the points that `table` was made of.
///
/// # Errors
/// [`Error::TooFewNeighbours`] for a table with fewer than k₂, [`Error::InvalidParameter`] unless
/// 1 ≤ k₁ < k₂, [`Error::ShapeMismatch`] for another number of points, [`Error::AllEqual`],
/// [`Error::EqualDistances`] where the two radii are equal or the inner one is 0.
///
/// # Complexity
/// That of [`pair_counts`]: all n²/2 distances.
///
/// # References
/// Grassberger and Procaccia 1983, *Measuring the strangeness of strange attractors*, equations
/// (1.1)–(1.4).
#[doc(alias = "CorrInt")]
#[doc(alias = "Grassberger-Procaccia")]
pub fn correlation_dimension<T: Real>(
    x: ArrayView2<'_, T>,
    table: &Neighbours,
    config: &CorrelationConfig,
) -> Result<Dimension> {
    let what = "correlation dimension";
    at_least("k1", config.k1, 1, "≥ 1")?;
    at_least("k2", config.k2, config.k1 + 1, "k₂ > k₁")?;
    neighbourhood::check(x, table)?;
    let n = table.n();
    let outer = median(table.at_rank(config.k2, what)?.to_vec());
    let inner = median(table.at_rank(config.k1, what)?.to_vec());
    if all_equal(table) {
        return Err(Error::AllEqual { what, n });
    }
    let counts = pair_counts(x, &[inner, outer])?;
    if inner == outer || counts[0] == 0 {
        return Err(Error::EqualDistances { what, n });
    }
    let value = (counts[1] as f64 / counts[0] as f64).ln() / (outer / inner).ln();
    let mut cautions = Caution::of_estimate(value, n, 0);
    if table.duplicates() > 0 {
        cautions.push(Caution::Copies { points: table.duplicates(), of: n });
    }
    Ok(Dimension { value, std_error: None, ci95: None, n, excluded: 0, scale: outer, cautions })
}

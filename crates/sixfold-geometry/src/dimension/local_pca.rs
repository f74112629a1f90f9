//! Principal components of neighbourhoods.

use ndarray::{Array2, ArrayView2, Axis};
use sixfold_linalg::{Real, eigvalsh};

use super::local::{self, Local, LocalDimensions};
use super::neighbourhood::{self, Gather};
use super::{Dimension, Mean};
use crate::{Error, Neighbours, Result};

/// How many components of a neighbourhood count.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PcaRule {
    /// The number of λⱼ > α·λ₁ (Fukunaga and Olsen).
    Threshold {
        /// α; 0.05 in the paper.
        alpha: f64,
    },
    /// (Σλ)²/Σλ²: no threshold, and no eigenvalues to compute.
    ParticipationRatio,
}

/// How [`local_pca`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalPcaConfig {
    /// Neighbours of each point: no more than k − 1 components can be found. (`scikit-dimension` takes
    /// 100.)
    pub k: usize,
    /// How many components count.
    pub rule: PcaRule,
}

impl Default for LocalPcaConfig {
    fn default() -> Self {
        Self { k: 64, rule: PcaRule::Threshold { alpha: 0.05 } }
    }
}

/// Intrinsic dimension by principal components of each point's neighbours, averaged over points.
///
/// λ are the eigenvalues of the covariance of the k nearest neighbours (without the point).
///
/// It measures the linear span at one scale: noise fills it, and so does curvature where
/// neighbourhoods are large. Copies do not disturb it; a point whose neighbours are all copies of
/// each other is left out.
///
/// There is no interval: spectra of overlapping neighbourhoods vary together by more than the share of
/// their common points, which the other estimators' standard errors count (they would be up to 1.7
/// times too small here).
///
/// # Shapes
/// `x` is `[n, d]`: the points that `table` was made of.
///
/// # Errors
/// [`Error::TooFewNeighbours`], [`Error::ShapeMismatch`] for another number of points,
/// [`Error::InvalidParameter`] for k < 2 or α outside (0, 1), [`Error::AllEqual`],
/// [`Error::TooFewPoints`].
///
/// # Complexity
/// With m = min(k, d): O(n·(k·d·m + m³)) in f64, O(n·k·d·m) for the participation ratio, and
/// O(k·d + m²) memory for each thread.
///
/// # References
/// Fukunaga and Olsen 1971, *An algorithm for finding intrinsic dimensionality of data*;
/// Cangelosi and Goriely 2007, *Component retention in principal component analysis*.
#[doc(alias = "lPCA")]
pub fn local_pca<T: Real>(
    x: ArrayView2<'_, T>,
    table: &Neighbours,
    config: &LocalPcaConfig,
) -> Result<Dimension> {
    let summary = local_pca_at_points(x, table, config)?.summary(table, Mean::Arithmetic)?;
    Ok(Dimension { std_error: None, ci95: None, ..summary })
}

/// The dimension around each point of [`local_pca`].
///
/// # Errors
/// Those of [`local_pca`].
///
/// # Complexity
/// Those of [`local_pca`].
pub fn local_pca_at_points<T: Real>(
    x: ArrayView2<'_, T>,
    table: &Neighbours,
    config: &LocalPcaConfig,
) -> Result<LocalDimensions> {
    local::at_least("k", config.k, 2, "≥ 2")?;
    if let PcaRule::Threshold { alpha } = config.rule
        && !(alpha > 0.0 && alpha < 1.0)
    {
        let expected = "0 < α < 1";
        return Err(Error::InvalidParameter { name: "alpha", found: alpha, expected });
    }
    neighbourhood::check(x, table)?;
    let what = "local PCA";
    table.at_rank(config.k, what)?;
    let scratch = || Gather::new(x, table, config.k);
    local::collect(table, config.k, what, scratch, |gather, point| {
        let scatter = scatter(gather.vectors(point));
        Ok(Local::of(match config.rule {
            PcaRule::Threshold { alpha } if scatter.diag().sum() > 0.0 => {
                let values = eigvalsh(scatter.view())?;
                values.iter().filter(|&&value| value > alpha * values[0]).count() as f64
            }
            PcaRule::ParticipationRatio => {
                scatter.diag().sum().powi(2) / scatter.iter().map(|x| x * x).sum::<f64>()
            }
            // The neighbours are copies of each other: 0/0, as the ratio above is.
            PcaRule::Threshold { .. } => f64::NAN,
        }))
    })
}

/// A matrix with the eigenvalues of the neighbours' centred scatter, up to zeros: `[d, d]` or, where
/// that is smaller, `[k, k]`. Centring the products loses nothing: the vectors start at the point.
fn scatter(vectors: ArrayView2<'_, f64>) -> Array2<f64> {
    let (k, d) = vectors.dim();
    if k < d {
        let mut products = neighbourhood::products_of_rows(vectors);
        let means = products.sum_axis(Axis(0)) / k as f64;
        let mean = means.sum() / k as f64;
        for ((i, j), value) in products.indexed_iter_mut() {
            *value += mean - means[i] - means[j];
        }
        products
    } else {
        let sums = vectors.sum_axis(Axis(0));
        let mut products = neighbourhood::products_of_rows(vectors.t());
        for ((i, j), value) in products.indexed_iter_mut() {
            *value -= sums[i] * sums[j] / k as f64;
        }
        products
    }
}

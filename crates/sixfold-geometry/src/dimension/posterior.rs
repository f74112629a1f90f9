//! TwoNN with a prior.

use super::dependence::{independent_variance, shared_variance};
use super::interval::{Interval, gamma_quantile};
use super::ratios::LogRatios;
use super::{Caution, Dimension};
use crate::{Error, Neighbours, Result};

const NAME: &str = "TwoNN's posterior";

/// A gamma distribution of the dimension before the points are seen: mean shape/rate, as much
/// worth as `shape` points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GammaPrior {
    /// Shape, > 0.
    pub shape: f64,
    /// Rate, > 0.
    pub rate: f64,
    /// With [`Interval::Honest`] the points count as the fewer independent ones whose ratios would
    /// know as much.
    pub interval: Interval,
}

impl Default for GammaPrior {
    /// The weak prior of DADApy: shape 2, rate 5.
    fn default() -> Self {
        Self { shape: 2.0, rate: 5.0, interval: Interval::default() }
    }
}

/// Bayesian intrinsic dimension from the ratios μ = r₂/r₁ of the two nearest distances.
///
/// ```text
/// d | μ ~ Gamma(shape + N/φ, rate + Σ ln μ/φ)
/// ```
///
/// with φ = 1 for [`Interval::Exact`], and for [`Interval::Honest`] the ratio of the variance of
/// Σ ln μ to that of independent points. `value` is the posterior's mean, `std_error` its standard
/// deviation, and `ci95` lies between its quantiles 0.025 and 0.975.
///
/// # Errors
/// Those of [`two_nn`](super::two_nn); [`Error::InvalidParameter`] for a shape or rate that is not
/// positive and finite.
///
/// # Complexity
/// O(N).
///
/// # References
/// Denti, Doimo, Laio and Mira 2022, Scientific Reports 12, 20005, section "TWO-NN" (conjugate prior).
///
/// ```
/// use sixfold_geometry::dimension::{GammaPrior, two_nn_posterior};
/// use sixfold_geometry::{manifolds, neighbours};
/// let table = neighbours(manifolds::sphere(30, 2, 0).view(), 2)?;
/// let found = two_nn_posterior(&table, &GammaPrior::default())?;
/// assert!((found.value - 2.0).abs() < 1.0, "{found:?}");
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "compute_id_2NN_wprior")]
#[doc(alias = "Bayesian")]
pub fn two_nn_posterior(neighbours: &Neighbours, prior: &GammaPrior) -> Result<Dimension> {
    for (name, found) in [("shape", prior.shape), ("rate", prior.rate)] {
        if !(found > 0.0 && found.is_finite()) {
            return Err(Error::InvalidParameter { name, found, expected: "> 0, finite" });
        }
    }
    let ratios = LogRatios::of_ranks(neighbours, [1, 2], NAME)?;
    let inflation = match prior.interval {
        Interval::Exact => 1.0,
        Interval::Honest => {
            let variance = shared_variance(neighbours, &ratios.points, &ratios.values, 2);
            let independent = independent_variance(&ratios.values);
            // Points do not know more by being near, nor is there a variance where all are equal.
            if independent > 0.0 { (variance / independent).max(1.0) } else { 1.0 }
        }
    };
    let n = ratios.n();
    let shape = prior.shape + n as f64 / inflation;
    let rate = prior.rate + ratios.sum() / inflation;
    let value = shape / rate;
    Ok(Dimension {
        value,
        std_error: Some(shape.sqrt() / rate),
        ci95: Some([0.025, 0.975].map(|p| gamma_quantile(shape, p) / rate)),
        n,
        excluded: ratios.excluded,
        scale: ratios.scale,
        cautions: Caution::of_estimate(value, n, ratios.excluded),
    })
}

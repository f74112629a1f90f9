//! TwoNN: the dimension from the ratio of the two nearest distances.

use super::interval::{Interval, Spread, gamma_quantile};
use super::ratios::LogRatios;
use super::{Caution, Dimension};
use crate::{Error, Neighbours, Result};

const NAME: &str = "TwoNN";

/// How [`two_nn`] makes a dimension of the ratios.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum TwoNnMethod {
    /// (N − 1) / Σ ln μ: unbiased, the least variance.
    #[default]
    MaximumLikelihood,
    /// Maximum likelihood that knows of the largest ratios only that they are large:
    /// (k − 1) / (Σ_{i≤k} ln μ₍ᵢ₎ + (N − k) ln μ₍ₖ₎), k = ⌊N·(1 − discard)⌋.
    Censored {
        /// Share of the ratios, the largest ones, in [0, 1).
        discard: f64,
    },
    /// The line through the origin of −ln(1 − F) on ln μ, F₍ᵢ₎ = i/N, over the smallest
    /// ⌊N·(1 − discard)⌋ ratios.
    Fit {
        /// Share of the ratios, the largest ones, in [0, 1); 0.1 in the paper.
        discard: f64,
    },
}

/// What [`two_nn`] computes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TwoNnConfig {
    /// The estimator.
    pub method: TwoNnMethod,
    /// Its interval.
    pub interval: Interval,
}

/// Intrinsic dimension from the ratios μ = r₂/r₁ of the two nearest distances.
///
/// # Errors
/// [`Error::TooFewNeighbours`] for k < 2.
pub fn two_nn(neighbours: &Neighbours, config: &TwoNnConfig) -> Result<Dimension> {
    let ratios = LogRatios::of_ranks(neighbours, [1, 2], NAME)?;
    let table = match config.interval {
        Interval::Honest => Some(neighbours),
        Interval::Exact => None,
    };
    estimate(&ratios, config.method, table)
}

/// [`two_nn`] on two nearest distances that were measured elsewhere; the interval takes the points
/// for independent.
///
/// # Errors
/// Those of [`two_nn`].
pub fn two_nn_of_distances(
    first: &[f64],
    second: &[f64],
    method: TwoNnMethod,
) -> Result<Dimension> {
    if first.len() != second.len() {
        return Err(Error::ShapeMismatch {
            what: "second distances",
            expected: [first.len(), 1],
            found: [second.len(), 1],
        });
    }
    for (row, (&r1, &r2)) in first.iter().zip(second).enumerate() {
        if let Some(col) = [r1, r2].iter().position(|r| !r.is_finite()) {
            return Err(Error::NotFinite { what: "distances", row, col });
        }
        if r1 < 0.0 || r2 < r1 {
            let expected = "0 ≤ first ≤ second";
            return Err(Error::InvalidParameter { name: "distance", found: r2, expected });
        }
    }
    let ratios = LogRatios::of_distances(first.iter().copied().zip(second.iter().copied()), NAME)?;
    estimate(&ratios, method, None)
}

fn estimate(
    ratios: &LogRatios,
    method: TwoNnMethod,
    table: Option<&Neighbours>,
) -> Result<Dimension> {
    let n = ratios.n();
    let (value, kept, terms) = match method {
        TwoNnMethod::MaximumLikelihood => likelihood(ratios, n)?,
        TwoNnMethod::Censored { discard } => likelihood(ratios, kept(n, discard)?)?,
        TwoNnMethod::Fit { discard } => fit(ratios, kept(n, discard)?.min(n - 1))?,
    };
    let spread = match (table, method) {
        (Some(table), _) => Spread::shared(value, table, &ratios.points, &terms, 2),
        (None, TwoNnMethod::Fit { .. }) => Spread::independent(value, &terms),
        (None, _) => {
            let (shape, rate) = (kept as f64, (kept - 1) as f64 / value);
            Spread {
                // Of (k − 1)/Gamma(k, d).
                std_error: value / (shape - 2.0).sqrt(),
                ci95: [0.025, 0.975].map(|p| gamma_quantile(shape, p) / rate),
            }
        }
    };
    Ok(Dimension {
        value,
        std_error: Some(spread.std_error),
        ci95: Some(spread.ci95),
        n,
        excluded: ratios.excluded,
        scale: ratios.scale,
        cautions: Caution::of_estimate(value, n, ratios.excluded),
    })
}

/// How many of the smallest ratios stay.
fn kept(n: usize, discard: f64) -> Result<usize> {
    if !(0.0..1.0).contains(&discard) {
        let expected = "0 ≤ discard < 1";
        return Err(Error::InvalidParameter { name: "discard", found: discard, expected });
    }
    let kept = (n as f64 * (1.0 - discard)) as usize;
    if kept < 3 {
        return Err(Error::TooFewPoints { what: NAME, found: kept, needed: 3 });
    }
    Ok(kept)
}

/// The estimate, the ratios that are in it, and each point's relative influence on it.
type Estimate = (f64, usize, Vec<f64>);

/// Maximum likelihood of exponential ln μ of which the k smallest are known.
fn likelihood(ratios: &LogRatios, k: usize) -> Result<Estimate> {
    let n = ratios.n();
    if k == n {
        let value = (n - 1) as f64 / ratios.sum();
        return Ok((value, n, ratios.values.iter().map(|x| 1.0 - value * x).collect()));
    }
    let order = ratios.ascending();
    let last = ratios.values[order[k - 1] as usize];
    let known: f64 = order[..k].iter().map(|&i| ratios.values[i as usize]).sum();
    let total = known + (n - k) as f64 * last;
    if total == 0.0 {
        return Err(Error::EqualDistances { what: NAME, n: k });
    }
    let value = (k - 1) as f64 / total;
    let share = k as f64 / n as f64;
    let term = |&x: &f64| {
        let event = if x <= last { 1.0 } else { 0.0 };
        (event - value * x.min(last)) / share
    };
    Ok((value, k, ratios.values.iter().map(term).collect()))
}

/// Facco's line through the k smallest.
fn fit(ratios: &LogRatios, k: usize) -> Result<Estimate> {
    let n = ratios.n() as f64;
    let order = ratios.ascending();
    let (mut xy, mut xx) = (0.0, 0.0);
    for (rank, &i) in order[..k].iter().enumerate() {
        let x = ratios.values[i as usize];
        let y = -(-(rank as f64 + 1.0) / n).ln_1p();
        xy += x * y;
        xx += x * x;
    }
    if xx == 0.0 {
        return Err(Error::EqualDistances { what: NAME, n: k });
    }
    let value = xy / xx;
    // d = ∫ Q·J / ∫ Q² over the quantiles Q of ln μ and J = −ln(1 − u), u ≤ k/n. Its derivative in
    // the weight of one point at s = d·ln μ, where ln μ is exponential with rate d, is
    // d·(c − min(s, τ)²/2) / ∫ t² e⁻ᵗ dt with t ≤ τ = J(k/n).
    let end = -(-(k as f64) / n).ln_1p();
    let weight = 2.0 - (-end).exp() * (end * end + 2.0 * end + 2.0);
    let term = |&x: &f64| -0.5 * (value * x).min(end).powi(2) / weight;
    Ok((value, k, ratios.values.iter().map(term).collect()))
}

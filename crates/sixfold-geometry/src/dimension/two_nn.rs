//! TwoNN: the dimension from the ratio of the two nearest distances.

use super::interval::{Interval, Spread, gamma_quantile};
use super::ratios::LogRatios;
use super::{Caution, Dimension};
use crate::{Error, Neighbours, Result};

const NAME: &str = "TwoNN";

/// How [`two_nn`] makes a dimension of the ratios.
///
/// Relative standard errors on N ideal ratios are 1/√N for maximum likelihood, 1/√k for the
/// censored one, 1.04/√N for a fit that discards a tenth and 2.5/√N for one that discards 80 %.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum TwoNnMethod {
    /// (N − 1) / Σ ln μ: unbiased on ideal ratios, and of the least variance.
    #[default]
    #[doc(alias = "ml")]
    MaximumLikelihood,
    /// Maximum likelihood that knows of the largest ratios only that they are large (type II
    /// censoring): (k − 1) / (Σ_{i≤k} ln μ₍ᵢ₎ + (N − k) ln μ₍ₖ₎) with k = ⌊N·(1 − discard)⌋. Large
    /// ratios are where a density that varies between neighbours shows.
    Censored {
        /// Share of the ratios, the largest ones, in [0, 1).
        discard: f64,
    },
    /// Facco's line through the origin, least squares of −ln(1 − F) on ln μ over the
    /// k = ⌊N·(1 − discard)⌋ smallest ratios, with F₍ᵢ₎ = i/N as in scikit-dimension and DADApy.
    /// The largest ratio has F = 1 and is always left out.
    #[doc(alias = "base")]
    #[doc(alias = "linfit")]
    Fit {
        /// Share of the ratios, the largest ones, in [0, 1); 0.1 in the paper.
        discard: f64,
    },
}

/// What [`two_nn`] computes; by default maximum likelihood with an honest interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TwoNnConfig {
    /// The estimator.
    pub method: TwoNnMethod,
    /// Its interval.
    pub interval: Interval,
}

/// Intrinsic dimension from the ratio μ = r₂/r₁ of the distances to the two nearest neighbours.
///
/// ```text
/// P(μ > m) = m⁻ᵈ,  so that ln μ is exponential with rate d
/// ```
///
/// wherever the density is constant as far as the second neighbour; nothing else is assumed. This
/// is the finest scale that a cloud has. [`TwoNnMethod`] says how d is made of the ratios,
/// [`Interval`] what its interval means.
///
/// Points that have a copy (r₁ = 0) are left out, and so are those whose two neighbours are copies
/// of each other (r₂ = r₁): both are counted in `excluded` and named in a [`Caution::Duplicates`].
///
/// # Errors
/// [`Error::TooFewNeighbours`] for k < 2; [`Error::AllEqual`]; [`Error::TooFewPoints`] for fewer
/// than three points without a copy, or fewer than three ratios after `discard`;
/// [`Error::EqualDistances`] where all ratios are 1; [`Error::InvalidParameter`] for `discard`
/// outside [0, 1).
///
/// # Complexity
/// O(N) for maximum likelihood, O(N log N) for the others; one thread.
///
/// # References
/// Facco, d'Errico, Rodriguez and Laio 2017, *Estimating the intrinsic dimension of datasets by a
/// minimal neighborhood information*, Scientific Reports 7, 12140 (the fit); Denti, Doimo, Laio and
/// Mira 2022, Scientific Reports 12, 20005, section "TWO-NN" (the likelihood and its interval).
///
/// ```
/// use sixfold_geometry::dimension::{TwoNnConfig, two_nn};
/// use sixfold_geometry::{manifolds, neighbours};
/// let x = manifolds::sphere(500, 2, 0); // in three coordinates
/// let table = neighbours(x.view(), 2)?;
/// let found = two_nn(&table, &TwoNnConfig::default())?;
/// let [low, high] = found.ci95.expect("TwoNN has an interval");
/// assert!(low < 2.0 && 2.0 < high, "{found:?}");
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "2NN")]
#[doc(alias = "TwoNN")]
#[doc(alias = "compute_id_2NN")]
pub fn two_nn(neighbours: &Neighbours, config: &TwoNnConfig) -> Result<Dimension> {
    let ratios = LogRatios::of_ranks(neighbours, [1, 2], NAME)?;
    let table = match config.interval {
        Interval::Honest => Some(neighbours),
        Interval::Exact => None,
    };
    estimate(&ratios, config.method, table)
}

/// [`two_nn`] on the two nearest distances of each point, measured elsewhere.
///
/// Which points are near to which is not known, so that the interval is [`Interval::Exact`].
/// Ratios alone are `first` = 1 and `second` = μ.
///
/// # Errors
/// Those of [`two_nn`]; [`Error::ShapeMismatch`]; [`Error::NotFinite`] with the point as row and
/// first or second as column; [`Error::InvalidParameter`] unless 0 ≤ first ≤ second.
///
/// ```
/// use sixfold_geometry::dimension::{TwoNnMethod, two_nn_of_distances};
/// let (first, second) = ([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]);
/// let found = two_nn_of_distances(&first, &second, TwoNnMethod::MaximumLikelihood)?;
/// assert!((found.value - 2.0 / (3.0 * 2.0_f64.ln())).abs() < 1e-15);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
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
            let (name, expected) = ("distance", "0 ≤ first ≤ second");
            let found = if r1 < 0.0 { r1 } else { r2 };
            return Err(Error::InvalidParameter { name, found, expected });
        }
    }
    let pairs = first.iter().copied().zip(second.iter().copied());
    estimate(&LogRatios::of_distances(pairs, NAME)?, method, None)
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

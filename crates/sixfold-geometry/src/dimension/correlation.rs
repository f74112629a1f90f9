//! The correlation dimension.

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use sixfold_linalg::{Real, Threads, matmul_with};

use super::interval::Spread;
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
/// That of [`pair_counts`]: all n²/2 distances. The standard error adds those of 512 points to all others.
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
    let counts = [counts[0], counts[1]];
    if inner >= outer || counts[0] == 0 {
        return Err(Error::EqualDistances { what, n });
    }
    let [log_counts, log_radii] = [counts[1] as f64 / counts[0] as f64, outer / inner].map(f64::ln);
    let value = log_counts / log_radii;
    let error = relative_error(x, [inner, outer], counts) / log_counts;
    let spread = Spread::of_relative(value, error);
    let mut cautions = Caution::of_estimate(value, n, 0);
    if table.duplicates() > 0 {
        cautions.push(Caution::Copies { points: table.duplicates(), of: n });
    }
    Ok(Dimension {
        value,
        std_error: Some(spread.std_error),
        ci95: Some(spread.ci95),
        n,
        excluded: 0,
        scale: outer,
        cautions,
    })
}

/// Standard error of ln(C(R₂)/C(R₁)), a ratio of two U-statistics.
///
/// With cᵢ(r) the neighbours of point i within r and c̄ their mean, a point moves the logarithm by twice
/// its ψᵢ = cᵢ(R₂)/c̄(R₂) − cᵢ(R₁)/c̄(R₁). The variance of ψ is taken over a sample of points; its part
/// that comes from single pairs counts half.
fn relative_error<T: Real>(x: ArrayView2<'_, T>, radii: [f64; 2], counts: [u64; 2]) -> f64 {
    let n = x.nrows();
    let [inner, outer] = counts.map(|pairs| 2.0 * pairs as f64 / n as f64);
    let of_points = neighbours_within(x, &sample(n), radii);
    let terms =
        of_points.iter().map(|[near, far]| f64::from(*far) / outer - f64::from(*near) / inner);
    let terms: Vec<f64> = terms.collect();
    let mean = terms.iter().sum::<f64>() / terms.len() as f64;
    let squares: f64 = terms.iter().map(|term| (term - mean).powi(2)).sum();
    let variance = squares / (terms.len() - 1) as f64;
    let of_pairs = inner * (1.0 / inner - 1.0 / outer).powi(2) + (outer - inner) / (outer * outer);
    ((4.0 * variance - 2.0 * of_pairs).max(2.0 * of_pairs) / n as f64).sqrt()
}

/// At most 512 points, evenly spread over the rows.
fn sample(n: usize) -> Vec<usize> {
    let taken = n.min(512);
    (0..taken).map(|i| i * n / taken).collect()
}

/// How many other points lie within each radius of each of `points`; distances by a product in f64, which
/// may miscount pairs at a radius up to rounding.
fn neighbours_within<T: Real>(
    x: ArrayView2<'_, T>,
    points: &[usize],
    radii: [f64; 2],
) -> Vec<[u32; 2]> {
    const BLOCK: usize = 256;
    let centre = x.row(0).mapv(Real::widen);
    let own = Array2::from_shape_fn((points.len(), x.ncols()), |(i, j)| {
        x[(points[i], j)].widen() - centre[j]
    });
    let norms = own.map_axis(Axis(1), |row| row.dot(&row));
    let of_block = |start: usize| {
        let block = x.slice(s![start..(start + BLOCK).min(x.nrows()), ..]);
        let block = block.mapv(Real::widen) - &centre;
        let products = matmul_with(own.view(), block.t(), Threads::ONE);
        let others = block.map_axis(Axis(1), |row| row.dot(&row));
        let count = |(i, &point): (usize, &usize)| {
            let mut found = [0_u32; 2];
            for (j, (&product, &other)) in products.row(i).iter().zip(&others).enumerate() {
                let square = norms[i] + other - 2.0 * product;
                for (found, radius) in found.iter_mut().zip(radii) {
                    *found += u32::from(square < radius * radius && start + j != point);
                }
            }
            found
        };
        points.iter().enumerate().map(count).collect::<Vec<_>>()
    };
    let starts: Vec<usize> = (0..x.nrows()).step_by(BLOCK).collect();
    let nothing = || vec![[0_u32; 2]; points.len()];
    let sum = |mut left: Vec<[u32; 2]>, right: Vec<[u32; 2]>| {
        for (left, right) in left.iter_mut().zip(right) {
            *left = [left[0] + right[0], left[1] + right[1]];
        }
        left
    };
    starts.into_par_iter().map(of_block).reduce(nothing, sum)
}

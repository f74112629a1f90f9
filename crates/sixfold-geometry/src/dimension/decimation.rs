//! TwoNN on ever smaller random parts of a cloud.

use ndarray::{ArrayView2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::Real;

use super::interval::Spread;
use super::{Caution, Dimension, TwoNnConfig, two_nn};
use crate::{Error, Result, neighbours};

/// What [`decimation_scan`] computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecimationConfig {
    /// Halve the cloud this often, unless the parts get too small before.
    pub halvings: usize,
    /// The least points of a part, at least 3.
    pub min_points: usize,
    /// Shuffle the cloud anew this many times; each shuffle is cut into disjoint parts.
    pub repeats: usize,
    /// Of the shuffles.
    pub seed: u64,
    /// The estimator.
    pub two_nn: TwoNnConfig,
}

impl Default for DecimationConfig {
    /// Maximum likelihood on one shuffle, down to parts of 64 points.
    fn default() -> Self {
        Self { halvings: 16, min_points: 64, repeats: 1, seed: 0, two_nn: TwoNnConfig::default() }
    }
}

/// One size of [`decimation_scan`].
#[derive(Clone, Debug, PartialEq)]
pub struct DecimationStep {
    /// Points of each part.
    pub points: usize,
    /// Parts that were looked at: 2ʰ of each shuffle at the h-th halving.
    pub parts: usize,
    /// The mean over the parts, of value and scale alike; its error and interval are those of 2ʰ
    /// independent parts, each as uncertain as it says itself. `n` and `excluded` are sums.
    pub dimension: Dimension,
    /// Standard deviation over the parts; `None` for the whole cloud.
    pub std_dev: Option<f64>,
}

/// TwoNN on the whole cloud, on its halves, its quarters, …: the dimension over scales, for the
/// nearest neighbours move apart as points are left out.
///
/// A plateau is the dimension; values that grow with the number of points tell of noise. Against
/// [`gride_scan`](super::gride_scan), which looks at farther neighbours of all points, every value
/// is a TwoNN with its freedom from all but the density between two neighbours, but the scatter
/// grows.
///
/// # Shapes
/// `x` is `[n, d]`, any strides.
///
/// # Errors
/// Those of [`neighbours`] and [`two_nn`], of any part; [`Error::InvalidParameter`] for
/// `repeats` = 0 or `min_points` < 3.
///
/// # Complexity
/// Neighbours of the whole cloud, and half, a quarter, … of that for each shuffle.
///
/// # References
/// Facco, d'Errico, Rodriguez and Laio 2017, Scientific Reports 7, 12140, section "Estimating a
/// scale-dependent intrinsic dimension".
///
/// ```
/// use sixfold_geometry::dimension::{DecimationConfig, decimation_scan};
/// let x = sixfold_geometry::manifolds::sphere(300, 2, 0);
/// let steps = decimation_scan(x.view(), &DecimationConfig::default())?;
/// let points: Vec<usize> = steps.iter().map(|step| step.points).collect();
/// assert_eq!(points, [300, 150, 75]);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "return_id_scaling_2NN")]
pub fn decimation_scan<T: Real>(
    x: ArrayView2<'_, T>,
    config: &DecimationConfig,
) -> Result<Vec<DecimationStep>> {
    let DecimationConfig { halvings, min_points, repeats, seed, two_nn: estimator } = *config;
    for (name, found, least, expected) in
        [("repeats", repeats, 1, "at least 1"), ("min_points", min_points, 3, "at least 3")]
    {
        if found < least {
            return Err(Error::InvalidParameter { name, found: found as f64, expected });
        }
    }
    let n = x.nrows();
    let whole = two_nn(&neighbours(x, 2)?, &estimator)?;
    let mut steps = vec![DecimationStep { points: n, parts: 1, dimension: whole, std_dev: None }];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let shuffles: Vec<Vec<usize>> = (0..repeats)
        .map(|_| {
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut rng);
            order
        })
        .collect();
    for halving in 1..=halvings.min(31) {
        let points = n >> halving;
        if points < min_points {
            break;
        }
        let disjoint = 1 << halving;
        let mut found = Vec::with_capacity(disjoint * repeats);
        for order in &shuffles {
            // What n does not divide into stays out.
            for part in order.chunks_exact(points).take(disjoint) {
                let table = neighbours(x.select(Axis(0), part).view(), 2)?;
                found.push(two_nn(&table, &estimator)?);
            }
        }
        steps.push(summarise(points, disjoint, &found));
    }
    Ok(steps)
}

fn summarise(points: usize, disjoint: usize, found: &[Dimension]) -> DecimationStep {
    let parts = found.len() as f64;
    let mean = |of: &dyn Fn(&Dimension) -> f64| found.iter().map(of).sum::<f64>() / parts;
    let value = mean(&|part| part.value);
    let squares = parts * mean(&|part| (part.value - value).powi(2));
    let own = mean(&|part| part.std_error.unwrap_or(0.0).powi(2));
    let spread = Spread::of_relative(value, (own / disjoint as f64).sqrt() / value);
    let n: usize = found.iter().map(|part| part.n).sum();
    let excluded: usize = found.iter().map(|part| part.excluded).sum();
    let mut cautions = Caution::of_estimate(value, n / found.len(), 0);
    if excluded > 0 {
        cautions.insert(0, Caution::Duplicates { excluded, of: n + excluded });
    }
    DecimationStep {
        points,
        parts: found.len(),
        dimension: Dimension {
            value,
            std_error: Some(spread.std_error),
            ci95: Some(spread.ci95),
            n,
            excluded,
            scale: mean(&|part| part.scale),
            cautions,
        },
        std_dev: Some((squares / (parts - 1.0)).sqrt()),
    }
}

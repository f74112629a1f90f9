//! The tight local estimator.

use ndarray::{ArrayView1, ArrayView2};
use sixfold_linalg::Real;

use super::Dimension;
use super::local::{self, Local, LocalDimensions, Mean};
use super::neighbourhood::{self, Gather};
use crate::{Neighbours, Result};

/// How [`tle`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct TleConfig {
    /// Neighbours of each point. The estimator is made for few.
    pub k: usize,
    /// How points are averaged.
    pub mean: Mean,
    /// Measurements below this share of the neighbourhood's radius are dropped: their logarithms
    /// would outweigh all others.
    pub epsilon: f64,
}

impl Default for TleConfig {
    fn default() -> Self {
        Self { k: 20, mean: Mean::Arithmetic, epsilon: 1e-4 }
    }
}

/// Intrinsic dimension by the tight local estimator: every pair of neighbours measures it.
///
/// With neighbours j of a point at aⱼ = xⱼ − xᵢ and r = rₖ, the distance from aᵢ to aⱼ counts as the
/// radius of the ball around aᵢ's image that touches the sphere of radius r from inside,
///
/// ```text
/// s(a, b) = r·(√(c² + 4v²(r² − ‖a‖²)) − c) / (2(r² − ‖a‖²)),  c = ‖a‖² + v² − ‖b‖²,  v = ‖a − b‖
/// t(a, b) = s(a, −b), the same for the reflected neighbour
/// dᵢ = −2·(number of measurements) / (Σ ln s/r + Σ ln t/r + 2·Σ ln ‖aⱼ‖/r)
/// ```
///
/// so that k neighbours give k² measurements. In few dimensions their variance is below that of
/// [`levina_bickel`](super::levina_bickel) on as many neighbours: less than half of it in two
/// dimensions for k = 10, and nothing is gained in ten.
///
/// Points that have a copy among their k neighbours are left out. Pairs of neighbours that are copies
/// of each other are dropped. (`scikit-dimension` compares with an absolute ε.)
///
/// # Shapes
/// `x` is `[n, d]`: the points that `table` was made of.
///
/// # Errors
/// Those of [`levina_bickel`](super::levina_bickel),
/// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for another number of points.
///
/// # Complexity
/// O(n·k²·d) in f64, and O(k·d + k²) memory for each thread.
///
/// # References
/// Amsaleg et al. 2019, *Intrinsic dimensionality estimation within tight localities*, equations
/// (5)–(8) and Algorithm 1.
#[doc(alias = "tight_localities")]
pub fn tle<T: Real>(
    x: ArrayView2<'_, T>,
    table: &Neighbours,
    config: &TleConfig,
) -> Result<Dimension> {
    tle_at_points(x, table, config)?.summary(table, config.mean)
}

/// The dimension around each point: the dᵢ of [`tle`].
///
/// # Errors
/// Those of [`tle`].
///
/// # Complexity
/// Those of [`tle`].
pub fn tle_at_points<T: Real>(
    x: ArrayView2<'_, T>,
    table: &Neighbours,
    config: &TleConfig,
) -> Result<LocalDimensions> {
    local::at_least("k", config.k, 2, "≥ 2")?;
    if !(0.0..1.0).contains(&config.epsilon) {
        return Err(crate::Error::InvalidParameter {
            name: "epsilon",
            found: config.epsilon,
            expected: "0 ≤ ε < 1",
        });
    }
    neighbourhood::check(x, table)?;
    let what = "tight local estimator";
    table.at_rank(config.k, what)?;
    let scratch = || Gather::new(x, table, config.k);
    local::collect(table, config.k, what, scratch, |gather, point| {
        let distances = table.distances();
        let radii = distances.slice(ndarray::s![point, ..config.k]);
        if radii[0] == 0.0 {
            return Ok(Local::Copy);
        }
        let products = neighbourhood::products_of_rows(gather.vectors(point));
        Ok(Local::of(of_neighbourhood(radii, products.view(), config.epsilon)))
    })
}

/// dᵢ from the distances of the neighbours and their scalar products; infinite for ties.
fn of_neighbourhood(
    radii: ArrayView1<'_, f64>,
    products: ArrayView2<'_, f64>,
    epsilon: f64,
) -> f64 {
    let k = radii.len();
    let r = radii[k - 1];
    let least = epsilon * r;
    let (mut logs, mut count) = (0.0, 0_usize);
    for i in 0..k {
        let square = radii[i] * radii[i];
        for j in (0..k).filter(|&j| j != i) {
            let both = square + radii[j] * radii[j];
            // Rounding leaves a copy at about 1e-16 of the squares it is the difference of.
            let apart = both - 2.0 * products[(i, j)];
            let reflected = both + 2.0 * products[(i, j)];
            if apart <= 1e-14 * both {
                continue;
            }
            let s = measure(r, radii[i], radii[j], apart);
            let t = measure(r, radii[i], radii[j], reflected);
            if s >= least && t >= least {
                logs += (s / r * (t / r)).ln();
                count += 2;
            }
        }
        if radii[i] >= least {
            logs += 2.0 * (radii[i] / r).ln();
            count += 2;
        }
    }
    -(count as f64) / logs
}

/// s of two neighbours at distances `a` and `b` ≤ r whose distance from each other is √`square`.
fn measure(r: f64, a: f64, b: f64, square: f64) -> f64 {
    let room = (r - a) * (r + a);
    let c = a * a + square - b * b;
    let root = (c * c + 4.0 * square * room).sqrt();
    // Two forms of one root: in each case the one that adds, for the other loses digits, and divides
    // zero by zero at a = r (where c ≥ v²).
    if c > 0.0 { 2.0 * r * square / (root + c) } else { r * (root - c) / (2.0 * room) }
}

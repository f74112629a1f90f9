//! Fisher separability.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;
use sixfold_linalg::{Moments, Real, Threads, eigh, matmul_with};

use super::interval::Spread;
use super::{Caution, Dimension};
use crate::{Error, Result};

/// Rows of one block of products.
const BLOCK: usize = 256;
/// The margins α that are tried: 0.6, 0.62, … 0.98.
const MARGINS: usize = 20;
const NAME: &str = "Fisher separability";

/// How [`fisher_separability`] looks at a cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct FisherConfig {
    /// Principal components are kept whose variance is above the largest one divided by this.
    pub condition: f64,
}

impl Default for FisherConfig {
    fn default() -> Self {
        Self { condition: 10.0 }
    }
}

/// Intrinsic dimension from how often a linear discriminant fails to separate two points.
///
/// The cloud is whitened over its leading components and projected onto the unit sphere. Two points
/// are inseparable at a margin α if their scalar product is at least α; on a sphere of n dimensions
/// the share of such pairs is
///
/// ```text
/// p(α) = (1 − α²)^((n − 1)/2) / (α·√(2πn)),  n = W(−ln(1 − α²)/(2πp²α²(1 − α²))) / (−ln(1 − α²))
/// ```
///
/// with Lambert's W. The margin is the one nearest to 0.9 times the largest at which a pair is
/// inseparable. It needs no neighbours and sees the cloud as a whole: a curved manifold counts by the
/// sphere that it fills as much as, and n here is the number of coordinates of that sphere.
///
/// Its scale is the root mean square distance from the mean.
///
/// # Shapes
/// `x` is `[n, d]`.
///
/// # Errors
/// [`Error::InvalidParameter`] for a condition below 1, [`Error::NotFinite`], [`Error::AllEqual`],
/// [`Error::TooFewPoints`] for n < 3 and where all pairs can be separated, as in a high dimension.
///
/// # Complexity
/// O(n·d² + d³ + n²·m) in f64 for m components, O(d² + n·m) memory.
///
/// # References
/// Albergante, Bac and Zinovyev 2019, *Estimating the effective dimension of large biological datasets
/// using Fisher separability analysis*, equations (2)–(5); Gorban, Golubkov, Grechuk, Mirkes and
/// Tyukin 2018, *Correction of AI systems by linear discriminants*, §4.
#[doc(alias = "FisherS")]
pub fn fisher_separability<T: Real>(
    x: ArrayView2<'_, T>,
    config: &FisherConfig,
) -> Result<Dimension> {
    if config.condition.is_nan() || config.condition < 1.0 {
        let found = config.condition;
        return Err(Error::InvalidParameter { name: "condition", found, expected: "≥ 1" });
    }
    if x.nrows() < 3 {
        return Err(Error::TooFewPoints { what: NAME, found: x.nrows(), needed: 3 });
    }
    let (points, scale) = on_sphere(x, config.condition)?;
    let n = points.nrows();
    let counts = inseparable(points.view());
    let totals = counts.sum_axis(Axis(0));
    let Some(last) = totals.iter().rposition(|&total| total > 0.0) else {
        // p < 1/n² at each margin: more points would tell.
        return Err(Error::TooFewPoints { what: NAME, found: n, needed: n + 1 });
    };
    let reference = 0.9 * margin(last);
    let near = |&a: &usize, &b: &usize| {
        (margin(a) - reference).abs().total_cmp(&(margin(b) - reference).abs())
    };
    let chosen = (0..=last).min_by(near).unwrap_or(last);
    let share = totals[chosen] / (n as f64 * (n - 1) as f64);
    let rate = -(-margin(chosen).powi(2)).ln_1p();
    let square = margin(chosen).powi(2);
    let w = lambert(rate / (std::f64::consts::TAU * share * share * square * (1.0 - square)));
    let value = w / rate;
    // d ln n = −2/(1 + W)·d ln p.
    let error = 2.0 / (1.0 + w) * relative_error(counts.column(chosen));
    let spread = Spread::of_relative(value, error);
    let mut cautions = Vec::new();
    if x.nrows() <= x.ncols() {
        cautions.push(Caution::FewerPointsThanCoordinates { n: x.nrows(), d: x.ncols() });
    }
    let (std_error, ci95) = (Some(spread.std_error), Some(spread.ci95));
    Ok(Dimension { value, std_error, ci95, n, excluded: 0, scale, cautions })
}

fn margin(step: usize) -> f64 {
    0.6 + 0.02 * step as f64
}

/// Whitened leading components of unit length, `[n, m]`, and the root mean square radius of the cloud.
/// A point at the mean has no direction and is left out.
fn on_sphere<T: Real>(x: ArrayView2<'_, T>, condition: f64) -> Result<(Array2<f64>, f64)> {
    let mut moments = Moments::new(x.ncols());
    for block in x.axis_chunks_iter(Axis(0), BLOCK) {
        moments.update(block.mapv(Real::widen).view()).map_err(|error| match error {
            sixfold_linalg::Error::NotFinite { what, .. } => first_not_finite(x, what),
            other => other.into(),
        })?;
    }
    let covariance = moments.covariance(1)?;
    let total = covariance.diag().sum();
    let spectrum = eigh(covariance.view())?;
    if spectrum.values.is_empty() || spectrum.values[0] <= 0.0 {
        return Err(Error::AllEqual { what: NAME, n: x.nrows() });
    }
    let least = spectrum.values[0] / condition;
    let kept = spectrum.values.iter().take_while(|&&value| value > least).count().max(1);
    let scales = spectrum.values.slice(s![..kept]).mapv(|value| value.sqrt().recip());
    let axes = &spectrum.vectors.slice(s![.., ..kept]) * &scales;
    let mean = moments.mean()?;
    let mut points = Vec::with_capacity(x.nrows() * kept);
    for block in x.axis_chunks_iter(Axis(0), BLOCK) {
        let centred = block.mapv(Real::widen) - &mean;
        for row in matmul_with(centred.view(), axes.view(), Threads::ONE).rows() {
            let norm = row.dot(&row).sqrt();
            if norm > 0.0 {
                points.extend(row.iter().map(|value| value / norm));
            }
        }
    }
    let n = points.len() / kept;
    let points = Array2::from_shape_vec((n, kept), points).expect("rows of equal length were made");
    Ok((points, total.sqrt()))
}

/// The error that names the first bad value of the whole matrix.
fn first_not_finite<T: Real>(x: ArrayView2<'_, T>, what: &'static str) -> Error {
    let found = x.indexed_iter().find(|(_, value)| !value.is_finite());
    let (row, col) = found.map_or((0, 0), |(place, _)| place);
    Error::NotFinite { what, row, col }
}

/// For each point and margin the number of other points with a product of at least the margin.
fn inseparable(points: ArrayView2<'_, f64>) -> Array2<f64> {
    let n = points.nrows();
    let mut counts = Array2::zeros((n, MARGINS));
    let blocks: Vec<_> = counts.axis_chunks_iter_mut(Axis(0), BLOCK).enumerate().collect();
    blocks.into_par_iter().for_each(|(number, mut counts)| {
        let first = number * BLOCK;
        let own = points.slice(s![first..first + counts.nrows(), ..]);
        for (other, columns) in points.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
            let products = matmul_with(own, columns.t(), Threads::ONE);
            for ((i, j), &product) in products.indexed_iter() {
                if product >= margin(0) && first + i != other * BLOCK + j {
                    let mut step = (((product - margin(0)) / 0.02) as usize).min(MARGINS - 1);
                    // The quotient may round to the margin above or below.
                    if product < margin(step) {
                        step -= 1;
                    } else if step + 1 < MARGINS && product >= margin(step + 1) {
                        step += 1;
                    }
                    counts[(i, step)] += 1.0;
                }
            }
        }
        for mut row in counts.rows_mut() {
            for step in (1..MARGINS).rev() {
                row[step - 1] += row[step];
            }
        }
    });
    counts
}

/// Standard error of ln p, p a U-statistic with these counts of each point: see the correlation
/// dimension.
fn relative_error(counts: ArrayView1<'_, f64>) -> f64 {
    let n = counts.len() as f64;
    let mean = counts.sum() / n;
    let terms: Array1<f64> = counts.mapv(|count| count / mean - 1.0);
    let variance = terms.dot(&terms) / (n - 1.0);
    ((4.0 * variance - 2.0 / mean).max(2.0 / mean) / n).sqrt()
}

/// Lambert's W for y > 0: w·eʷ = y, by Newton's method on w + ln w = ln y.
fn lambert(y: f64) -> f64 {
    let target = y.ln();
    let mut w = if target > 1.0 { target - target.ln() } else { y / (1.0 + y) };
    for _ in 0..50 {
        let next = w * (1.0 + target - w.ln()) / (1.0 + w);
        if (next - w).abs() <= 1e-15 * next {
            return next;
        }
        w = next;
    }
    w
}

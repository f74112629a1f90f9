//! Numbers of other programs, defects included, to compare with what was published.

use ndarray::{ArrayView2, Axis};
use sixfold_linalg::{Real, ensure_finite};

use super::ratios::all_equal;
use crate::{Error, Result, neighbours};

const NAME: &str = "compat::intrinsic_dimension";

/// Distances below this, in units of the mean norm, count as copies; ratios this near to 1 as well.
const THRESHOLD: f64 = 1e-8;

/// The intrinsic dimension of LLM-Microscope, which made the figures of "The Shape of Learning":
/// `intrinsic_dimension(x, reduction_factor = 5)`.
///
/// ```text
/// d = Σ xᵢ yᵢ / Σ xᵢ²,  xᵢ = ln μ₍ᵢ₎,  yᵢ = −ln(1 − (u + i)/N),  i ≤ kept/reduction_factor
/// ```
///
/// over the `kept` = N − u smallest ratios above 1, of the centred points in units of their mean
/// norm. It differs from [`two_nn`](super::two_nn)'s fit in two points.
/// - It fits the lowest fifth of the ratios, which makes its standard error 2.5 times that of
///   maximum likelihood.
/// - The u points with a copy are dropped, but the quantiles still count them as the lowest: the
///   line then starts above the origin and comes out steeper. Of 4096 points, 0.8 % dropped move it
///   by +5.5 %, 3.1 % by +22 %, 12.5 % by +92 %. Decoders give one such group by themselves: the
///   state of the first token is the same in every text.
///
/// # Shapes
/// `x` is `[n, d]`, any strides; it is copied into f64.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::InvalidParameter`] for a factor of 0; [`Error::TooFewPoints`] for
/// n < 3, or where the fit is left without a ratio; [`Error::AllEqual`].
///
/// # Complexity
/// That of [`neighbours`] in f64.
///
/// # References
/// Razzhigaev et al. 2024, *The Shape of Learning*, Findings of EACL (arXiv 2311.05928); Facco et
/// al. 2017 for the method.
///
/// ```
/// use sixfold_geometry::dimension::compat;
/// let x = sixfold_geometry::manifolds::sphere(1000, 2, 0);
/// let d = compat::intrinsic_dimension(x.view(), 5)?;
/// assert!((d - 2.0).abs() < 0.6, "{d}");
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "LLM-Microscope")]
#[doc(alias = "llm_microscope")]
pub fn intrinsic_dimension<T: Real>(x: ArrayView2<'_, T>, reduction_factor: usize) -> Result<f64> {
    if reduction_factor == 0 {
        let (name, expected) = ("reduction_factor", "at least 1");
        return Err(Error::InvalidParameter { name, found: 0.0, expected });
    }
    let n = x.nrows();
    if n < 3 {
        return Err(Error::TooFewPoints { what: NAME, found: n, needed: 3 });
    }
    // Before centring, which would spread a NaN over its column.
    ensure_finite("x", x).map_err(|error| match error {
        sixfold_linalg::Error::NotFinite { what, row, col } => Error::NotFinite { what, row, col },
        other => other.into(),
    })?;
    let mut points = x.mapv(Real::widen);
    let mean = points.sum_axis(Axis(0)) / n as f64;
    points -= &mean;
    let norms: f64 = points.rows().into_iter().map(|row| row.dot(&row).sqrt()).sum();
    if norms == 0.0 {
        return Err(Error::AllEqual { what: NAME, n });
    }
    points /= norms / n as f64;

    let table = neighbours(points.view(), 2)?;
    if all_equal(&table) {
        return Err(Error::AllEqual { what: NAME, n });
    }
    let rows = table.distances();
    let mut ratios: Vec<f64> = rows
        .rows()
        .into_iter()
        .filter(|row| row[0] >= THRESHOLD)
        .map(|row| row[1] / row[0])
        .filter(|&ratio| ratio > 1.0 + THRESHOLD)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let kept = ratios.len();
    let fitted = (kept / reduction_factor).min(kept.saturating_sub(1));
    if fitted == 0 {
        let needed = reduction_factor.max(2);
        return Err(Error::TooFewPoints { what: NAME, found: kept, needed });
    }
    let dropped = n - kept;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (i, ratio) in ratios[..fitted].iter().enumerate() {
        let quantile = (dropped + i + 1) as f64 / n as f64;
        let (x, y) = (ratio.ln(), -(1.0 - quantile).ln());
        xy += x * y;
        xx += x * x;
    }
    Ok(xy / xx)
}

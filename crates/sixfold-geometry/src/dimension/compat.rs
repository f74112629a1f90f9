//! The numbers of other programs, defects included, to compare with what was published.

use ndarray::{ArrayView2, Axis};
use sixfold_linalg::Real;

use crate::{Error, Result, neighbours};

/// `intrinsic_dimension(x, reduction_factor)` of LLM-Microscope.
///
/// # Errors
/// Those of [`neighbours`].
pub fn intrinsic_dimension<T: Real>(x: ArrayView2<'_, T>, reduction_factor: usize) -> Result<f64> {
    const NAME: &str = "compat::intrinsic_dimension";
    if reduction_factor == 0 {
        return Err(Error::InvalidParameter {
            name: "reduction_factor",
            found: 0.0,
            expected: "≥ 1",
        });
    }
    let n = x.nrows();
    if n < 3 {
        return Err(Error::TooFewPoints { what: NAME, found: n, needed: 3 });
    }
    let mut points = x.mapv(Real::widen);
    if let Some(mean) = points.mean_axis(Axis(0)) {
        points -= &mean;
    }
    let norms: f64 = points.rows().into_iter().map(|row| row.dot(&row).sqrt()).sum();
    if norms == 0.0 {
        return Err(Error::AllEqual { what: NAME, n });
    }
    points /= norms / n as f64;
    let table = neighbours(points.view(), 2)?;
    let mut ratios: Vec<f64> = table
        .distances()
        .rows()
        .into_iter()
        .filter(|row| row[0] >= 1e-8)
        .map(|row| row[1] / row[0])
        .filter(|&ratio| ratio > 1.0 + 1e-8)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let kept = ratios.len();
    let dropped = (n - kept) as f64;
    let fitted = (kept / reduction_factor).min(kept.saturating_sub(1));
    if fitted == 0 {
        return Err(Error::TooFewPoints {
            what: NAME,
            found: kept,
            needed: 2.max(reduction_factor),
        });
    }
    let (mut xy, mut xx) = (0.0, 0.0);
    for (rank, ratio) in ratios[..fitted].iter().enumerate() {
        let (log, share) = (ratio.ln(), (dropped + rank as f64 + 1.0) / n as f64);
        xy -= log * (1.0 - share).ln();
        xx += log * log;
    }
    Ok(xy / xx)
}

//! Exact nearest neighbours of all points of a cloud.

mod bound;
mod candidates;
mod counts;
mod lanes;
mod points;
mod search;
mod second;
mod table;
mod tiles;

pub use table::Neighbours;

use ndarray::ArrayView2;
use sixfold_linalg::{Real, Threads, ensure_finite};

use crate::{Error, Result};
use points::Points;

/// How a search went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Whether each distance was computed once for both of its points. Otherwise the candidates of
    /// all points did not fit into the memory, and each was computed twice.
    pub symmetric: bool,
    /// Points that were compared with all others a second time, because their neighbours could
    /// not be proven to be among the candidates of the first pass.
    pub second_pass: usize,
}

/// How many neighbours, on how many threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnnConfig {
    /// Neighbours of each point.
    pub k: usize,
    /// Threads of the current rayon pool that take part. The result is the same for any number.
    pub threads: Threads,
}

impl Default for KnnConfig {
    /// What the two-nearest-neighbours estimators need, on all threads of the pool.
    fn default() -> Self {
        Self { k: 2, threads: Threads::Pool }
    }
}

/// The `k` nearest neighbours of each row of `x`.
///
/// # Shapes
/// `x` is `[n, d]`, any strides.
///
/// # Errors
/// Those of [`neighbours_with`].
pub fn neighbours<T: Real>(x: ArrayView2<'_, T>, k: usize) -> Result<Neighbours> {
    neighbours_with(x, &KnnConfig { k, ..KnnConfig::default() })
}

/// [`neighbours`] with a bound on the threads.
///
/// # Errors
/// [`Error::InvalidParameter`] for k = 0 or more than 2³² − 1 points, [`Error::TooFewPoints`] unless n > k, [`Error::NotFinite`].
pub fn neighbours_with<T: Real>(x: ArrayView2<'_, T>, config: &KnnConfig) -> Result<Neighbours> {
    neighbours_and_work(x, config).map(|(table, _)| table)
}

/// [`neighbours_with`], and how it went.
///
/// # Errors
/// Those of [`neighbours_with`].
pub fn neighbours_and_work<T: Real>(
    x: ArrayView2<'_, T>,
    config: &KnnConfig,
) -> Result<(Neighbours, Work)> {
    let k = config.k;
    if k == 0 {
        return Err(Error::InvalidParameter { name: "k", found: 0.0, expected: "at least 1" });
    }
    check(x, "neighbours", k + 1)?;
    let (table, work) = search::search(&Points::new(x), config);
    // Finite points of f64 may be farther apart than f64 reaches.
    ensure_finite("distances", table.distances()).map_err(located)?;
    Ok((table, work))
}

/// For each point i the rank, from 1, of the point `partners[i]` among the neighbours of i.
///
/// # Shapes
/// `x` is `[n, d]`, any strides; `partners` has n indices, each of another point.
///
/// # Errors
/// [`Error::ShapeMismatch`], [`Error::InvalidParameter`] for a partner that is no other point,
/// [`Error::TooFewPoints`] for n < 2, [`Error::NotFinite`].
pub fn ranks<T: Real>(x: ArrayView2<'_, T>, partners: &[u32]) -> Result<Vec<u32>> {
    check(x, "ranks of neighbours", 2)?;
    let n = x.nrows();
    if partners.len() != n {
        let found = [partners.len(), 1];
        return Err(Error::ShapeMismatch { what: "partners", expected: [n, 1], found });
    }
    for (i, &partner) in partners.iter().enumerate() {
        if partner as usize >= n || partner as usize == i {
            let expected = "the index of another point";
            let found = f64::from(partner);
            return Err(Error::InvalidParameter { name: "partner", found, expected });
        }
    }
    Ok(counts::ranks(&Points::new(x), partners))
}

/// For each radius r the number of pairs of points with distance < r.
///
/// # Shapes
/// `x` is `[n, d]`, any strides; the result has one count a radius, in the given order.
///
/// # Errors
/// [`Error::TooFewPoints`] for n < 2, [`Error::NotFinite`] for `x` or `radii`.
#[doc(alias = "correlation_sum")]
pub fn pair_counts<T: Real>(x: ArrayView2<'_, T>, radii: &[f64]) -> Result<Vec<u64>> {
    check(x, "pairs of points", 2)?;
    if let Some(row) = radii.iter().position(|r| !r.is_finite()) {
        return Err(Error::NotFinite { what: "radii", row, col: 0 });
    }
    Ok(counts::pairs_within(&Points::new(x), radii))
}

/// Finite, enough points, and indices that fit.
fn check<T: Real>(x: ArrayView2<'_, T>, what: &'static str, needed: usize) -> Result<()> {
    let n = x.nrows();
    if n < needed {
        return Err(Error::TooFewPoints { what, found: n, needed });
    }
    if u32::try_from(n).is_err() {
        let expected = "at most 2³² − 1";
        return Err(Error::InvalidParameter { name: "points", found: n as f64, expected });
    }
    ensure_finite("x", x).map_err(located)
}

/// The error of this crate that says the same.
fn located(error: sixfold_linalg::Error) -> Error {
    match error {
        sixfold_linalg::Error::NotFinite { what, row, col } => Error::NotFinite { what, row, col },
        other => other.into(),
    }
}

//! Exact nearest neighbours of all points of a cloud.
//!
//! Every table, rank and count is the one that plain loops in f64 over the given points find, ties
//! by index. The time is that of one matrix product in f32 over half of the pairs:
//!
//! 1. Blocks of rows are multiplied, each pair of blocks once, and the products turned into lower
//!    bounds of the squared distances (`bound.rs` has the proof).
//! 2. Each point keeps those whose lower bound does not exceed the k-th smallest upper bound so far.
//! 3. These few are measured in f64 from the points as they were given, the lowest bound first.
//! 4. Where more points may be near than there is room for, and the k-th distance found does not
//!    rule the others out, the point is compared with all others once more.
//!
//! Rows of f32 are read where they lie. Rows of f64, rows far from the origin and rows of extreme
//! scale are packed block by block: shifted, scaled by a power of two and rounded; the rounding is
//! part of the bound. Nothing copies all rows, so that memory-mapped ones may be larger than the
//! memory.

mod bound;
mod candidates;
mod counts;
#[cfg(feature = "model")]
mod device;
mod lanes;
mod points;
mod search;
mod second;
mod table;
mod tiles;

#[cfg(feature = "model")]
pub use device::{on_device, on_device_and_work};
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

/// The `k` nearest neighbours of each row of `x`, exact in f64.
///
/// d(i, j) = ‖xᵢ − xⱼ‖; equal distances are ordered by index, and a point is no neighbour of itself.
/// Copies of a point are neighbours at distance 0.
///
/// # Shapes
/// `x` is `[n, d]`, any strides, f32 or f64; the table is `[n, k]`.
///
/// # Errors
/// Those of [`neighbours_with`].
///
/// # Complexity
/// n²·d operations in f32 on half of the pairs of points, n·k·d in f64. Memory: the table's 12·n·k
/// bytes, and at most 32 MiB + 4·n·k beside it; where candidates of all points need more (some
/// 200 000 points for k = 2), each product is made twice.
///
/// ```
/// use ndarray::array;
/// let x = array![[0.0_f32, 0.0], [1.0, 0.0], [0.0, 3.0], [1.0, 0.0]];
/// let table = sixfold_geometry::neighbours(x.view(), 2)?;
/// assert_eq!(table.indices(), array![[1, 3], [3, 0], [0, 1], [1, 0]]);
/// assert_eq!(table.distances().row(0), array![1.0, 1.0]);
/// assert_eq!(table.duplicates(), 2);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "knn")]
#[doc(alias = "nearest_neighbors")]
pub fn neighbours<T: Real>(x: ArrayView2<'_, T>, k: usize) -> Result<Neighbours> {
    neighbours_with(x, &KnnConfig { k, ..KnnConfig::default() })
}

/// [`neighbours`] with a bound on the threads.
///
/// # Errors
/// [`Error::InvalidParameter`] for k = 0 or more than 2³² − 1 points, [`Error::TooFewPoints`] unless
/// n > k, [`Error::NotFinite`] for a value of `x`, or for a distance beyond the range of f64.
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
    check_k(x, config.k)?;
    let (table, work) = search::search(&Points::new(x), config);
    Ok((checked(table)?, work))
}

/// For each point i the rank, from 1, of the point `partners[i]` among the neighbours of i.
///
/// rᵢ = 1 + #{j ≠ i: (d(i, j), j) < (d(i, p), p)} with p = `partners[i]`: exact, ties by index.
///
/// # Shapes
/// `x` is `[n, d]`, any strides; `partners` has n indices, each of another point.
///
/// # Errors
/// [`Error::ShapeMismatch`], [`Error::InvalidParameter`] for a partner that is no other point,
/// [`Error::TooFewPoints`] for n < 2, [`Error::NotFinite`].
///
/// # Complexity
/// n²·d operations in f32; pairs that the bounds cannot decide are measured in f64.
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
/// #{i < j: d(i, j) < r}: exact, so that a pair at distance r is not counted.
///
/// # Shapes
/// `x` is `[n, d]`, any strides; the result has one count a radius, in the given order.
///
/// # Errors
/// [`Error::TooFewPoints`] for n < 2, [`Error::NotFinite`] for `x` or `radii`.
///
/// # Complexity
/// n²·d operations in f32 and one comparison a pair and radius; pairs that the bounds cannot decide
/// are measured in f64.
///
/// ```
/// use ndarray::array;
/// let x = array![[0.0], [1.0], [3.0]];
/// assert_eq!(sixfold_geometry::knn::pair_counts(x.view(), &[1.0, 2.5, 9.0])?, [0, 2, 3]);
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
#[doc(alias = "correlation_sum")]
pub fn pair_counts<T: Real>(x: ArrayView2<'_, T>, radii: &[f64]) -> Result<Vec<u64>> {
    check(x, "pairs of points", 2)?;
    if let Some(row) = radii.iter().position(|r| !r.is_finite()) {
        return Err(Error::NotFinite { what: "radii", row, col: 0 });
    }
    Ok(counts::pairs_within(&Points::new(x), radii))
}

/// Finite, and more points than neighbours.
fn check_k<T: Real>(x: ArrayView2<'_, T>, k: usize) -> Result<()> {
    if k == 0 {
        return Err(Error::InvalidParameter { name: "k", found: 0.0, expected: "at least 1" });
    }
    check(x, "neighbours", k.saturating_add(1))
}

/// Finite points of f64 may be farther apart than f64 reaches.
fn checked(table: Neighbours) -> Result<Neighbours> {
    ensure_finite("distances", table.distances()).map_err(located)?;
    Ok(table)
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

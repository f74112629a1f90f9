//! Norms and directions of rows, in one pass.

use ndarray::{Array1, ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::error::same_shape;
use crate::scale::{ensure_finite_vector, power_of_two};
use crate::simd::{LANES, columns_of_a_task, map_rows, simd};
use crate::{Error, Real, Result, ensure_finite};

/// Σ‖x‖ and Σx/‖x‖ over the rows of a matrix: mean norm, and the mean cosine of all pairs of rows
/// without forming any pair.
///
/// A row of zeros has a norm but no direction: it counts in [`count`](Self::count) and in the mean
/// norm, and not in the mean cosine. Sums are kept in f64.
///
/// # Complexity
/// 4·n·d operations; memory 8·d bytes, whatever n.
///
/// ```
/// use ndarray::array;
/// use sixfold_linalg::Directions;
/// let mut directions = Directions::new(2);
/// directions.update(array![[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]].view())?;
/// assert_eq!((directions.count(), directions.directed()), (3, 2));
/// assert!((directions.mean_norm()? - 7.0 / 3.0).abs() < 1e-15);
/// assert!((directions.mean_cosine()? - 0.8).abs() < 1e-15);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    rows: u64,
    directed: u64,
    norms: f64,
    units: Array1<f64>,
}

/// The whole state of a [`Directions`], to be stored and restored.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectionsParts {
    /// Rows counted.
    pub rows: u64,
    /// Rows that have a direction: those that are not zero.
    pub directed: u64,
    /// Σ‖x‖.
    pub norms: f64,
    /// Σ x/‖x‖ over the rows that have a direction, `[d]`.
    pub units: Array1<f64>,
}

impl Directions {
    /// Starts without rows, for `d` columns.
    pub fn new(d: usize) -> Self {
        Self { rows: 0, directed: 0, norms: 0.0, units: Array1::zeros(d) }
    }

    /// Adds the rows of `x`.
    ///
    /// # Shapes
    /// `x` is `[n, d]`, any n ≥ 0, any strides.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of columns, [`Error::NotFinite`] for a NaN or
    /// an infinity; the state is then unchanged.
    pub fn update<T: Real>(&mut self, x: ArrayView2<'_, T>) -> Result<()> {
        same_shape("x", [x.nrows(), x.ncols()], [x.nrows(), self.dim()])?;
        let (rows, d) = x.dim();
        let x = x.as_standard_layout();
        let row = |i: usize| x.row(i).to_slice().unwrap_or_default();
        let norms = map_rows(
            rows,
            d,
            #[inline(always)]
            |i| norm(row(i)),
        );
        if !norms.iter().all(|(norm, _)| norm.is_finite()) {
            ensure_finite("x", x.view())?;
        }
        self.rows += rows as u64;
        self.directed += norms.iter().filter(|(norm, _)| *norm > 0.0).count() as u64;
        // One by one, so that groups of rows give the same bits as all at once.
        norms.iter().for_each(|(norm, _)| self.norms += norm);
        let width = columns_of_a_task(rows, d);
        let units = self.units.as_slice_mut().unwrap_or_default();
        units.par_chunks_mut(width).enumerate().for_each(|(task, units)| {
            simd(
                #[inline(always)]
                || {
                    let from = task * width;
                    let len = units.len();
                    let part = |i: usize| &row(i)[from..][..len];
                    // Four rows at a time: the sums are loaded and stored a quarter as often.
                    let (fours, rest) = norms.as_chunks::<4>();
                    for (i, [(_, a), (_, b), (_, c), (_, e)]) in fours.iter().enumerate() {
                        let rows = part(4 * i).iter().zip(part(4 * i + 1));
                        let rows = rows.zip(part(4 * i + 2)).zip(part(4 * i + 3));
                        for (sum, (((p, q), r), s)) in units.iter_mut().zip(rows) {
                            let (p, q, r, s) = (p.widen(), q.widen(), r.widen(), s.widen());
                            *sum += (p * a + q * b) + (r * c + s * e);
                        }
                    }
                    for (i, (_, inverse)) in rest.iter().enumerate() {
                        let row = part(4 * fours.len() + i);
                        for (sum, x) in units.iter_mut().zip(row) {
                            *sum += x.widen() * inverse;
                        }
                    }
                },
            );
        });
        Ok(())
    }

    /// Adds rows whose sums were formed elsewhere, on a GPU say: `rows` of them, `directed` with a
    /// direction, `norms` = Σ‖x‖ and `units` = Σ x/‖x‖.
    ///
    /// # Shapes
    /// `units` is `[d]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`], [`Error::NotFinite`], and [`Error::InvalidParameter`] for more
    /// directions than rows or a negative sum of norms; the state is then unchanged.
    pub fn add_block(
        &mut self,
        rows: u64,
        directed: u64,
        norms: f64,
        units: ArrayView1<'_, f64>,
    ) -> Result<()> {
        check(self.dim(), rows, directed, norms, units)?;
        self.rows += rows;
        self.directed += directed;
        self.norms += norms;
        self.units += &units;
        Ok(())
    }

    /// Adds the rows that `other` has seen.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of columns.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.add_block(other.rows, other.directed, other.norms, other.units.view())
    }

    /// Number of columns d.
    pub fn dim(&self) -> usize {
        self.units.len()
    }

    /// Number of rows n.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// Number of rows that have a direction: those that are not zero.
    pub fn directed(&self) -> u64 {
        self.directed
    }

    /// The mean norm Σ‖x‖/n, over all rows.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] before the first row.
    pub fn mean_norm(&self) -> Result<f64> {
        match self.rows {
            0 => Err(Error::TooFewRows { found: 0, needed: 1 }),
            n => Ok(self.norms / n as f64),
        }
    }

    /// The mean cosine of all pairs of rows, (‖Σx̂‖² − m)/(m(m − 1)) over the m rows that have a
    /// direction.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] for fewer than two directions.
    #[doc(alias = "average_cosine_similarity")]
    pub fn mean_cosine(&self) -> Result<f64> {
        if self.directed < 2 {
            return Err(Error::TooFewRows { found: self.directed, needed: 2 });
        }
        let m = self.directed as f64;
        Ok((self.units.dot(&self.units) - m) / (m * (m - 1.0)))
    }

    /// The state, to be stored.
    pub fn to_parts(&self) -> DirectionsParts {
        let Self { rows, directed, norms, units } = self.clone();
        DirectionsParts { rows, directed, norms, units }
    }

    /// Restores a state that was stored.
    ///
    /// # Errors
    /// Those of [`add_block`](Self::add_block).
    pub fn from_parts(parts: DirectionsParts) -> Result<Self> {
        let DirectionsParts { rows, directed, norms, units } = parts;
        check(units.len(), rows, directed, norms, units.view())?;
        Ok(Self { rows, directed, norms, units })
    }
}

fn check(d: usize, rows: u64, directed: u64, norms: f64, units: ArrayView1<'_, f64>) -> Result<()> {
    same_shape("units", [units.len(), 1], [d, 1])?;
    ensure_finite_vector("units", units)?;
    if directed > rows {
        let expected = "no more than the rows";
        return Err(Error::InvalidParameter { name: "directed", found: directed as f64, expected });
    }
    if !norms.is_finite() || norms < 0.0 {
        let expected = "finite, at least 0";
        return Err(Error::InvalidParameter { name: "norms", found: norms, expected });
    }
    Ok(())
}

/// ‖x‖ and 1/‖x‖, both 0 for a row without direction; where squares leave the range of f64, in a
/// unit near the largest entry. NaN or infinite where an entry is.
#[inline(always)]
fn norm<T: Real>(row: &[T]) -> (f64, f64) {
    let square = squares(row, 1.0);
    if (1e-200..1e200).contains(&square) {
        let norm = square.sqrt();
        return (norm, 1.0 / norm);
    }
    let largest = row.iter().fold(0.0, |m: f64, x| m.max(x.widen().abs()));
    if square.is_nan() || largest.is_infinite() {
        return (f64::NAN, 0.0);
    }
    let unit = power_of_two(largest, 1000);
    let norm = squares(row, 1.0 / unit).sqrt();
    // A denormal norm has no finite inverse: such a row counts as zero.
    let inverse = 1.0 / norm / unit;
    if inverse.is_finite() { (norm * unit, inverse) } else { (0.0, 0.0) }
}

#[inline(always)]
fn squares<T: Real>(row: &[T], factor: f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let x = x.widen() * factor;
            *lane += x * x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        let x = x.widen() * factor;
        *lane += x * x;
    }
    lanes.iter().sum()
}

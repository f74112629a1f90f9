//! First and second moments of a matrix that is seen block by block.

mod block;
mod centred;
mod cross;
mod operator;
mod pair;
mod side;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

pub use centred::{Centred, Products};
pub use cross::{CrossMoments, CrossMomentsParts};
pub use pair::{PairMoments, linear_cka};

use crate::error::same_shape;
use crate::product::mirror;
use crate::scale::ensure_finite_vector;
use crate::{Error, Real, Result, ensure_finite};
use block::{Block, Buffers, add_products};
use side::Side;

/// Mean and scatter of the rows of X, in one pass.
///
/// Rows arrive in blocks of any length; states of disjoint row sets [`merge`](Self::merge).
/// A block of m rows is centred about its own mean and each column is divided by a power of two,
/// its Gram matrix is formed in the type of the input, and it is added in f64 by the rule of
/// Chan, Golub and LeVeque:
///
/// S ← S + S_b + (n·m/(n + m)) δδᵀ, where δ = mean_b − mean.
///
/// The result does not depend on how the rows were cut into blocks: within 1e-5 of the largest
/// entry for f32 input, 1e-10 for f64 input, also where the mean is 1e4 deviations from zero.
///
/// The first block fixes a *reference*: a shift (its mean) and a scale (the power of two near its
/// deviation, 1 for a constant column). Blocks whose products are formed elsewhere, on a GPU
/// say, are made of rows (x − shift)/scale and enter through [`add_block`](Self::add_block).
///
/// # Complexity
/// n·d·(d + 64) operations in the type of the input and d² additions in f64 a block of 1024
/// rows (2048 from 2048 columns on); memory 8·d² bytes, whatever n.
///
/// # References
/// Chan, Golub, LeVeque 1983, *Algorithms for computing the sample variance*, eq. 2.1.
///
/// ```
/// use ndarray::{array, s};
/// use sixfold_linalg::Moments;
/// let x = array![[1.0, 10.0], [2.0, 20.0], [3.0, 60.0]];
/// let mut moments = Moments::new(2);
/// moments.update(x.slice(s![..2, ..]))?;
/// moments.update(x.slice(s![2.., ..]))?;
/// assert_eq!(moments.count(), 3);
/// assert!((moments.mean()?[1] - 30.0).abs() < 1e-12);
/// assert!((moments.covariance(1)?[(0, 1)] - 25.0).abs() < 1e-12);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
#[doc(alias = "covariance")]
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    rows: u64,
    side: Side,
    /// Upper triangle of the centred scatter, in scaled units.
    scatter: Array2<f64>,
}

/// The whole state of a [`Moments`], to be stored and restored.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentsParts {
    /// Rows counted.
    pub rows: u64,
    /// Whether shift and scale are fixed.
    pub initialised: bool,
    /// Shift of each column, `[d]`.
    pub shift: Array1<f64>,
    /// Scale of each column, `[d]`.
    pub scale: Array1<f64>,
    /// Mean of (x − shift)/scale, `[d]`.
    pub mean: Array1<f64>,
    /// Centred scatter of (x − shift)/scale, `[d, d]`, symmetric.
    pub scatter: Array2<f64>,
}

impl Moments {
    /// Starts without rows, for `d` columns.
    pub fn new(d: usize) -> Self {
        Self { rows: 0, side: Side::new(d), scatter: Array2::zeros((d, d)) }
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
        // A single block is checked while it is centred.
        if x.nrows() > block::rows_of_a_block(self.dim()) {
            ensure_finite("x", x)?;
        }
        self.update_with(x, |_| Ok(()))
    }

    /// [`update`](Self::update) that hands groups of rows, before they are counted, to another
    /// statistic of the same rows: both read them while they are in the cache.
    ///
    /// # Errors
    /// Those of [`update`](Self::update) and of `also`; blocks before the one that
    /// failed stay counted.
    pub fn update_with<T: Real>(
        &mut self,
        x: ArrayView2<'_, T>,
        mut also: impl FnMut(ArrayView2<'_, T>) -> Result<()>,
    ) -> Result<()> {
        same_shape("x", [x.nrows(), x.ncols()], [x.nrows(), self.dim()])?;
        let mut buffers = Buffers::new(self.dim());
        for (i, rows) in x.axis_chunks_iter(Axis(0), block::rows_of_a_block(self.dim())).enumerate()
        {
            let block = Block::new("x", rows, buffers.take(x.nrows()), &mut also);
            // An error of `also` counts rows from its group.
            let block = block.map_err(|error| match ensure_finite("x", rows) {
                Err(Error::NotFinite { what, row, col }) => Error::NotFinite {
                    what,
                    row: row + i * block::rows_of_a_block(self.dim()),
                    col,
                },
                _ => error,
            })?;
            self.absorb(&block, &mut buffers);
            buffers.give_back(block);
        }
        Ok(())
    }

    fn absorb<T: Real>(&mut self, block: &Block<T>, buffers: &mut Buffers<T>) {
        self.side.initialise(block);
        let gram = buffers.gram(block);
        let step = self.side.step(self.rows, block);
        add_products(&mut self.scatter, gram, &step, &step, true);
        self.rows += block.rows();
        self.side.advance(&step);
    }

    /// The shift of the reference; zeros before there is one.
    pub fn shift(&self) -> ArrayView1<'_, f64> {
        self.side.shift.view()
    }

    /// The scale of the reference; ones before there is one.
    pub fn scale(&self) -> ArrayView1<'_, f64> {
        self.side.scale.view()
    }

    /// Whether shift and scale are fixed, by a block or by [`set_reference`](Self::set_reference).
    pub fn initialised(&self) -> bool {
        self.side.initialised
    }

    /// Fixes shift and scale before any row.
    ///
    /// # Shapes
    /// Both are `[d]`; powers of two make good scales because they divide without rounding.
    ///
    /// # Errors
    /// [`Error::ReferenceFixed`] once rows are counted, [`Error::ShapeMismatch`],
    /// [`Error::NotFinite`], and [`Error::InvalidParameter`] for a scale that is not positive.
    pub fn set_reference(
        &mut self,
        shift: ArrayView1<'_, f64>,
        scale: ArrayView1<'_, f64>,
    ) -> Result<()> {
        if self.rows > 0 {
            return Err(Error::ReferenceFixed { rows: self.rows });
        }
        self.side.set_reference(shift, scale)
    }

    /// Adds a block of `rows` rows z = (x − shift)/scale whose products were formed elsewhere.
    ///
    /// # Shapes
    /// `sum` = Σ z is `[d]`, `gram` = Σ zzᵀ (not centred) is `[d, d]`; its upper triangle is read.
    ///
    /// # Errors
    /// [`Error::NoReference`], [`Error::ShapeMismatch`], [`Error::NotFinite`]; the state is then
    /// unchanged.
    pub fn add_block(
        &mut self,
        rows: u64,
        sum: ArrayView1<'_, f64>,
        gram: ArrayView2<'_, f64>,
    ) -> Result<()> {
        let d = self.dim();
        same_shape("sum", [sum.len(), 1], [d, 1])?;
        same_shape("gram", [gram.nrows(), gram.ncols()], [d, d])?;
        if !self.initialised() {
            return Err(Error::NoReference);
        }
        ensure_finite_vector("sum", sum)?;
        ensure_finite("gram", gram)?;
        if rows > 0 {
            let step = self.side.external_step(self.rows, rows, sum);
            add_products(&mut self.scatter, gram, &step, &step, true);
            self.rows += rows;
            self.side.advance(&step);
        }
        Ok(())
    }

    /// Adds the rows that `other` has seen; their references may differ.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of columns.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        same_shape("other", [1, other.dim()], [1, self.dim()])?;
        if !self.initialised() {
            self.clone_from(other);
        } else if other.rows > 0 {
            let step = self.side.merge_step(self.rows, other.rows, &other.side);
            add_products(&mut self.scatter, other.scatter.view(), &step, &step, true);
            self.rows += other.rows;
            self.side.advance(&step);
        }
        Ok(())
    }

    /// Number of columns d.
    pub fn dim(&self) -> usize {
        self.side.shift.len()
    }

    /// Number of rows n.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// The mean μ = Σ x / n, `[d]`.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] before the first row.
    pub fn mean(&self) -> Result<Array1<f64>> {
        self.need(1)?;
        Ok(self.side.mean())
    }

    /// The centred scatter S = Σ (x − μ)(x − μ)ᵀ in the units of x, `[d, d]`; zeros without rows.
    pub fn scatter(&self) -> Array2<f64> {
        let scale = &self.side.scale;
        let mut full = self.scatter.clone();
        for (mut row, s) in full.rows_mut().into_iter().zip(scale) {
            row.zip_mut_with(scale, |value, t| *value *= s * t);
        }
        mirror(&mut full);
        full
    }

    /// The covariance S/(n − ddof), `[d, d]`.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] unless n > `ddof`.
    pub fn covariance(&self, ddof: u64) -> Result<Array2<f64>> {
        self.need(ddof + 1)?;
        Ok(self.scatter() / (self.rows - ddof) as f64)
    }

    /// The scatter of each column by itself, Σ (x − μ)², `[d]`: the diagonal of
    /// [`scatter`](Self::scatter) without the rest.
    pub fn column_scatter(&self) -> Array1<f64> {
        let scale = &self.side.scale;
        Array1::from_shape_fn(self.dim(), |i| self.scatter[(i, i)] * scale[i] * scale[i])
    }

    /// The trace of the scatter, Σ ‖x − μ‖²: n times the total variance.
    pub fn total_variance(&self) -> f64 {
        self.column_scatter().sum()
    }

    /// The mean square norm Σ ‖x‖² / n, not centred.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] before the first row.
    pub fn mean_square_norm(&self) -> Result<f64> {
        let mean = self.mean()?;
        Ok(self.total_variance() / self.rows as f64 + mean.dot(&mean))
    }

    /// The state, to be stored.
    pub fn to_parts(&self) -> MomentsParts {
        let mut scatter = self.scatter.clone();
        mirror(&mut scatter);
        let Side { initialised, shift, scale, mean } = self.side.clone();
        MomentsParts { rows: self.rows, initialised, shift, scale, mean, scatter }
    }

    /// Restores a state that was stored.
    ///
    /// # Errors
    /// Those of [`set_reference`](Self::set_reference) and [`add_block`](Self::add_block), and
    /// [`Error::NoReference`] for rows without one.
    pub fn from_parts(parts: MomentsParts) -> Result<Self> {
        let MomentsParts { rows, initialised, shift, scale, mean, scatter } = parts;
        let d = shift.len();
        same_shape("scatter", [scatter.nrows(), scatter.ncols()], [d, d])?;
        ensure_finite("scatter", scatter.view())?;
        let side = Side::restore(rows, initialised, shift, scale, mean)?;
        let mut scatter = scatter;
        mirror(&mut scatter);
        Ok(Self { rows, side, scatter: scatter.as_standard_layout().into_owned() })
    }

    fn need(&self, needed: u64) -> Result<()> {
        if self.rows < needed {
            return Err(Error::TooFewRows { found: self.rows, needed });
        }
        Ok(())
    }
}

//! Cross moments of two matrices with the same rows.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::block::{self, Block, Buffers, add_products};
use super::side::Side;
use crate::error::same_shape;
use crate::scale::ensure_finite_vector;
use crate::{Error, Real, Result, ensure_finite};

/// The cross scatter of the rows of X and Y, in one pass.
///
/// C = Σ (x − μx)(y − μy)ᵀ, by the same rules, with the same precision and with the same verbs
/// as [`Moments`](crate::Moments).
///
/// # Complexity
/// 2·n·dx·dy operations in the type of the input; memory 8·dx·dy bytes, whatever n.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossMoments {
    rows: u64,
    x: Side,
    y: Side,
    scatter: Array2<f64>,
}

/// The whole state of a [`CrossMoments`], to be stored and restored.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossMomentsParts {
    /// Rows counted.
    pub rows: u64,
    /// Whether shifts and scales are fixed.
    pub initialised: bool,
    /// Shifts of the columns of X and of Y.
    pub shift: [Array1<f64>; 2],
    /// Scales of the columns of X and of Y.
    pub scale: [Array1<f64>; 2],
    /// Means of the shifted and scaled columns of X and of Y.
    pub mean: [Array1<f64>; 2],
    /// Centred cross scatter of the shifted and scaled columns, `[dx, dy]`.
    pub scatter: Array2<f64>,
}

impl CrossMoments {
    /// Starts without rows, for `dx` and `dy` columns.
    pub fn new(dx: usize, dy: usize) -> Self {
        Self { rows: 0, x: Side::new(dx), y: Side::new(dy), scatter: Array2::zeros((dx, dy)) }
    }

    /// Adds the rows of `x` with those of `y`.
    ///
    /// # Shapes
    /// `x` is `[n, dx]`, `y` is `[n, dy]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] and [`Error::NotFinite`]; the state is then unchanged.
    pub fn update<T: Real>(&mut self, x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<()> {
        let [dx, dy] = self.dims();
        same_shape("x", [x.nrows(), x.ncols()], [x.nrows(), dx])?;
        same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), dy])?;
        ensure_finite("x", x)?;
        ensure_finite("y", y)?;
        let (mut for_x, mut for_y) = (Buffers::new(dx), Buffers::new(dy));
        let rows = x.nrows();
        let step = block::rows_of_a_block(dx.min(dy));
        for (x, y) in x.axis_chunks_iter(Axis(0), step).zip(y.axis_chunks_iter(Axis(0), step)) {
            let x = Block::new("x", x, for_x.take(rows), |_| Ok(()))?;
            let y = Block::new("y", y, for_y.take(rows), |_| Ok(()))?;
            self.absorb(&x, &y, &mut for_x);
            for_x.give_back(x);
            for_y.give_back(y);
        }
        Ok(())
    }

    pub(super) fn absorb<T: Real>(&mut self, x: &Block<T>, y: &Block<T>, room: &mut Buffers<T>) {
        self.x.initialise(x);
        self.y.initialise(y);
        let products = room.cross(x, y);
        let (step_x, step_y) = (self.x.step(self.rows, x), self.y.step(self.rows, y));
        add_products(&mut self.scatter, products, &step_x, &step_y, false);
        self.rows += x.rows();
        self.x.advance(&step_x);
        self.y.advance(&step_y);
    }

    /// The shifts of X and Y; zeros before there is a reference.
    pub fn shift(&self) -> [ArrayView1<'_, f64>; 2] {
        [self.x.shift.view(), self.y.shift.view()]
    }

    /// The scales of X and Y; ones before there is a reference.
    pub fn scale(&self) -> [ArrayView1<'_, f64>; 2] {
        [self.x.scale.view(), self.y.scale.view()]
    }

    /// Whether shifts and scales are fixed.
    pub fn initialised(&self) -> bool {
        self.x.initialised && self.y.initialised
    }

    /// Fixes shifts and scales, each as `[of X, of Y]`, before any row.
    ///
    /// # Errors
    /// As [`Moments::set_reference`](crate::Moments::set_reference); the state is then unchanged.
    pub fn set_reference(
        &mut self,
        shift: [ArrayView1<'_, f64>; 2],
        scale: [ArrayView1<'_, f64>; 2],
    ) -> Result<()> {
        if self.rows > 0 {
            return Err(Error::ReferenceFixed { rows: self.rows });
        }
        let (mut x, mut y) = (self.x.clone(), self.y.clone());
        x.set_reference(shift[0], scale[0])?;
        y.set_reference(shift[1], scale[1])?;
        (self.x, self.y) = (x, y);
        Ok(())
    }

    /// Adds a block of `rows` shifted and scaled rows whose products were formed elsewhere.
    ///
    /// # Shapes
    /// `sum_x` is `[dx]`, `sum_y` is `[dy]`, `cross` = Σ z_x z_yᵀ (not centred) is `[dx, dy]`.
    ///
    /// # Errors
    /// [`Error::NoReference`], [`Error::ShapeMismatch`], [`Error::NotFinite`]; the state is then
    /// unchanged.
    pub fn add_block(
        &mut self,
        rows: u64,
        sum_x: ArrayView1<'_, f64>,
        sum_y: ArrayView1<'_, f64>,
        cross: ArrayView2<'_, f64>,
    ) -> Result<()> {
        let [dx, dy] = self.dims();
        same_shape("sum_x", [sum_x.len(), 1], [dx, 1])?;
        same_shape("sum_y", [sum_y.len(), 1], [dy, 1])?;
        same_shape("cross", [cross.nrows(), cross.ncols()], [dx, dy])?;
        if !self.initialised() {
            return Err(Error::NoReference);
        }
        ensure_finite_vector("sum_x", sum_x)?;
        ensure_finite_vector("sum_y", sum_y)?;
        ensure_finite("cross", cross)?;
        if rows > 0 {
            let step_x = self.x.external_step(self.rows, rows, sum_x);
            let step_y = self.y.external_step(self.rows, rows, sum_y);
            add_products(&mut self.scatter, cross, &step_x, &step_y, false);
            self.rows += rows;
            self.x.advance(&step_x);
            self.y.advance(&step_y);
        }
        Ok(())
    }

    /// Adds the rows that `other` has seen; their references may differ.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for other numbers of columns.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        same_shape("other", other.dims(), self.dims())?;
        if !self.initialised() {
            self.clone_from(other);
        } else if other.rows > 0 {
            let step_x = self.x.merge_step(self.rows, other.rows, &other.x);
            let step_y = self.y.merge_step(self.rows, other.rows, &other.y);
            add_products(&mut self.scatter, other.scatter.view(), &step_x, &step_y, false);
            self.rows += other.rows;
            self.x.advance(&step_x);
            self.y.advance(&step_y);
        }
        Ok(())
    }

    /// Numbers of columns `[dx, dy]`.
    pub fn dims(&self) -> [usize; 2] {
        [self.x.shift.len(), self.y.shift.len()]
    }

    /// Number of rows n.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// The means of X and Y.
    ///
    /// # Errors
    /// [`Error::TooFewRows`] before the first row.
    pub fn means(&self) -> Result<[Array1<f64>; 2]> {
        if self.rows == 0 {
            return Err(Error::TooFewRows { found: 0, needed: 1 });
        }
        Ok([self.x.mean(), self.y.mean()])
    }

    /// The centred cross scatter C = Σ (x − μx)(y − μy)ᵀ in the units of x and y, `[dx, dy]`;
    /// zeros without rows.
    pub fn cross_scatter(&self) -> Array2<f64> {
        let mut full = self.scatter.clone();
        for (mut row, s) in full.rows_mut().into_iter().zip(&self.x.scale) {
            row.zip_mut_with(&self.y.scale, |value, t| *value *= s * t);
        }
        full
    }

    /// The state, to be stored.
    pub fn to_parts(&self) -> CrossMomentsParts {
        let (x, y) = (self.x.clone(), self.y.clone());
        CrossMomentsParts {
            rows: self.rows,
            initialised: self.initialised(),
            shift: [x.shift, y.shift],
            scale: [x.scale, y.scale],
            mean: [x.mean, y.mean],
            scatter: self.scatter.clone(),
        }
    }

    /// Restores a state that was stored.
    ///
    /// # Errors
    /// As [`Moments::from_parts`](crate::Moments::from_parts).
    pub fn from_parts(parts: CrossMomentsParts) -> Result<Self> {
        let CrossMomentsParts { rows, initialised, shift, scale, mean, scatter } = parts;
        let ([shift_x, shift_y], [scale_x, scale_y], [mean_x, mean_y]) = (shift, scale, mean);
        let dims = [shift_x.len(), shift_y.len()];
        same_shape("scatter", [scatter.nrows(), scatter.ncols()], dims)?;
        ensure_finite("scatter", scatter.view())?;
        let x = Side::restore(rows, initialised, shift_x, scale_x, mean_x)?;
        let y = Side::restore(rows, initialised, shift_y, scale_y, mean_y)?;
        Ok(Self { rows, x, y, scatter: scatter.as_standard_layout().into_owned() })
    }
}

//! Sweeps over the n×m matrix X = A·Bᵀ of a model of rank d, tile by tile, that never store it.
//!
//! A sweep forms a tile of X, replaces it by the derivative of the objective, and multiplies that by a
//! factor: this is attention with a logistic function instead of a softmax. The objective itself
//! comes with it.

mod both;
mod dense;
mod host;
mod micro;
mod packed;
mod positives;
mod row;
mod sampled;
mod sigmoid;
mod sparse;
mod terms;
mod tile;

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::Real;

use crate::{Error, Result};

pub use dense::DenseSweep;
pub use host::HostSweep;
pub use sampled::{SampleConfig, SampledSweep};
pub(crate) use sigmoid::{exponential, sigmoid};
pub(crate) use sparse::{times, transpose_times};
pub(crate) use terms::Positives;
#[cfg(feature = "model")]
pub(crate) use terms::Terms;

/// What a solver needs of an objective: its value, and products of its gradient G = ∇F(X), for
/// X = A·Bᵀ.
///
/// # Shapes
/// `a` is `[n, d]`, `b` is `[m, d]`.
pub trait Sweep<T: Real> {
    /// Words and contexts, `[n, m]`.
    fn shape(&self) -> [usize; 2];

    /// What follows belongs to this iteration: sweeps that draw draw anew, in a stream of its own.
    fn begin(&mut self, iteration: usize) {
        let _ = iteration;
    }

    /// F(X), and G·R.
    ///
    /// # Shapes
    /// `right` R is `[m, r]`, the product `[n, r]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`], and those of the implementation.
    fn rows(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
        right: ArrayView2<'_, T>,
    ) -> Result<(f64, Array2<T>)>;

    /// Gᵀ·L.
    ///
    /// # Shapes
    /// `left` L is `[n, r]`, the product `[m, r]`.
    ///
    /// # Errors
    /// Those of [`Self::rows`].
    fn columns(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
        left: ArrayView2<'_, T>,
    ) -> Result<Array2<T>>;

    /// F(X), G·R and Gᵀ·L. One sweep instead of two where the implementation knows better than the
    /// default.
    ///
    /// # Errors
    /// Those of [`Self::rows`].
    fn both(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
        left: ArrayView2<'_, T>,
        right: ArrayView2<'_, T>,
    ) -> Result<(f64, Array2<T>, Array2<T>)> {
        let (value, rows) = self.rows(a, b, right)?;
        Ok((value, rows, self.columns(a, b, left)?))
    }
}

/// Whether factors fit a matrix: A and R, B and L of the same rows.
pub(crate) fn check<T>(
    [n, m]: [usize; 2],
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    left: Option<ArrayView2<'_, T>>,
    right: Option<ArrayView2<'_, T>>,
) -> Result<()> {
    let d = a.ncols();
    let fits = |what, expected: [usize; 2], found: (usize, usize)| {
        let found = found.into();
        if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { what, expected, found }) }
    };
    fits("the factor of words", [n, d], a.dim())?;
    fits("the factor of contexts", [m, d], b.dim())?;
    if let Some(left) = left {
        fits("the factor on the left", [n, left.ncols()], left.dim())?;
    }
    if let Some(right) = right {
        fits("the factor on the right", [m, right.ncols()], right.dim())?;
    }
    Ok(())
}

//! Sweeps over the n×m matrix X = A·Bᵀ of a model of rank d, tile by tile, that never store it.
//!
//! A sweep forms a tile of X, replaces it by the derivative of the objective, and multiplies that by a
//! factor: this is attention with a logistic function instead of a softmax. The objective itself
//! comes with it.

mod host;
mod micro;
mod packed;
mod sigmoid;
mod tile;

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::Real;

use crate::Result;

pub use host::{COLUMNS, HostSweep, ROWS};

/// What a solver needs of an objective: its value and the products of its gradient G = ∇F(X), for
/// X = A·Bᵀ.
///
/// # Shapes
/// `a` is `[n, d]`, `b` is `[m, d]`.
pub trait Sweep<T: Real> {
    /// Words and contexts, `[n, m]`.
    fn shape(&self) -> [usize; 2];

    /// F(X), and G·B, `[n, d]`.
    ///
    /// # Errors
    /// Those of the implementation.
    fn rows(&self, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Result<(f64, Array2<T>)>;

    /// F(X), and Gᵀ·A, `[m, d]`.
    ///
    /// # Errors
    /// Those of the implementation.
    fn columns(&self, a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Result<(f64, Array2<T>)>;

    /// F(X), G·B and Gᵀ·A.
    ///
    /// # Errors
    /// Those of the implementation.
    fn both(
        &self,
        a: ArrayView2<'_, T>,
        b: ArrayView2<'_, T>,
    ) -> Result<(f64, Array2<T>, Array2<T>)> {
        let (value, rows) = self.rows(a, b)?;
        Ok((value, rows, self.columns(a, b)?.1))
    }
}

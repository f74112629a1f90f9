//! The factorisations themselves, in f64 on column-major copies: nalgebra for small matrices,
//! faer from [`LARGE`] on, where the bench `linalg` shows it faster.

mod columns;
mod large;
mod small;

use ndarray::{Array1, ArrayView2};

pub(crate) use columns::Columns;
pub(crate) use large::Cholesky;

use crate::scale::{max_abs, normaliser};
use crate::{Error, Real, Result};

/// The smaller side from which faer's QR is faster.
const LARGE: usize = 64;

/// A finite, non-empty matrix, scaled to magnitudes below 2.
pub(crate) struct Scaled {
    pub(crate) columns: Columns,
    /// Multiplies singular values and eigenvalues back; a power of two.
    pub(crate) unit: f64,
}

impl Scaled {
    pub(crate) fn load<T: Real>(what: &'static str, a: ArrayView2<'_, T>) -> Result<Self> {
        if a.is_empty() {
            return Err(Error::Empty { what });
        }
        let (factor, unit) = normaliser(max_abs(what, a)?);
        Ok(Self { columns: Columns::load(a, factor), unit })
    }
}

/// Eigenvalues, descending, and eigenvectors in the same order.
pub(crate) fn eigh(a: &Columns) -> Result<(Array1<f64>, Columns)> {
    large::eigh(a)
}

/// Eigenvalues, descending.
pub(crate) fn eigvalsh(a: &Columns) -> Result<Array1<f64>> {
    large::eigvalsh(a)
}

/// Thin Q and R.
pub(crate) fn qr(a: &Columns) -> (Columns, Columns) {
    if a.rows.min(a.cols) < LARGE { small::qr(a) } else { large::qr(a) }
}

/// Thin U, singular values, descending, and thin V.
pub(crate) fn svd(a: &Columns) -> Result<(Columns, Array1<f64>, Columns)> {
    large::svd(a)
}

/// Singular values, descending.
pub(crate) fn svdvals(a: &Columns) -> Result<Array1<f64>> {
    large::svdvals(a)
}

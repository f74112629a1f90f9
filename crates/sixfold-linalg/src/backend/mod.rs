//! The factorisations themselves, in f64 on column-major copies: faer, and nalgebra's QR below
//! [`LARGE`].
//!
//! By the bench `linalg` (benches/record/linalg.md) faer 0.24 on one thread is faster than
//! nalgebra 0.35 by these factors, measured on a busy machine:
//!
//! | n | 16 | 32 | 48 | 64 | 96 | 128 | 256 | 512 | 768 |
//! |---|---|---|---|---|---|---|---|---|---|
//! | eigh | 0.64 | 0.80 | 0.98 | 3.1 | 1.4 | 5.0 | 7.9 | 4.2 | 5.0 |
//! | eigvalsh | 0.72 | 0.75 | 0.82 | 0.88 | 0.97 | 1.1 | 1.8 | 2.4 | 2.5 |
//! | qr | 0.39 | 0.59 | 0.87 | 4.3 | 1.7 | 8.3 | 19 | 4.1 | 3.5 |
//! | svd | 0.61 | 0.88 | 1.1 | 4.9 | 1.7 | 8.1 | 9.6 | 34 | 19 |
//!
//! Speed does not decide alone. On sparse matrices of low rank nalgebra's eigenvectors lose
//! orthogonality (up to 6e-3 where 1e-12 is asked) and its eigenvalues are now and then NaN; on
//! constant matrices its SVD leaves residuals of order 1. faer did neither in 40,000 random
//! cases, and so computes every eigenvalue and singular value.

mod columns;
mod large;
mod small;

use ndarray::{Array1, ArrayView2};

pub(crate) use columns::Columns;
pub(crate) use large::Cholesky;

use crate::scale::{max_abs, normaliser};
use crate::{Error, Real, Result};

/// The smaller side from which faer's QR is faster; they cross between 48 and 64.
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

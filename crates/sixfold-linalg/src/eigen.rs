//! Eigendecomposition of a symmetric matrix.

use ndarray::{Array1, Array2, ArrayView2};

use crate::backend::{self, Scaled};
use crate::error::same_shape;
use crate::{Real, Result};

/// A = V·diag(λ)·Vᵀ with λ descending.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigh<T> {
    /// Eigenvalues λ, the largest first, `[n]`.
    pub values: Array1<T>,
    /// Orthonormal eigenvectors in the columns, in the order of the values, `[n, n]`.
    pub vectors: Array2<T>,
}

/// Eigenvalues and eigenvectors of a symmetric matrix: A = V·diag(λ)·Vᵀ.
///
/// The lower triangle is read; nothing checks that the upper one mirrors it.
///
/// # Shapes
/// `a` is `[n, n]`.
///
/// # Errors
/// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch) for a matrix that is not square,
/// `Empty`, `NotFinite`, `NoConvergence`.
///
/// # Complexity
/// About 9·n³ operations in f64. Residual and loss of orthogonality are below 1e-12 relative.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th ed., §8.3 and §8.4.
///
/// ```
/// use ndarray::array;
/// let a = array![[2.0, 1.0], [1.0, 2.0]];
/// let eigen = sixfold_linalg::eigh(a.view())?;
/// assert!((eigen.values[0] - 3.0_f64).abs() < 1e-14);
/// assert!((eigen.values[1] - 1.0_f64).abs() < 1e-14);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
#[doc(alias = "symmetric_eigen")]
pub fn eigh<T: Real>(a: ArrayView2<'_, T>) -> Result<Eigh<T>> {
    let Scaled { columns, unit } = load(a)?;
    let (values, vectors) = backend::eigh(&columns)?;
    Ok(Eigh { values: values.mapv(|x| T::narrow(x * unit)), vectors: vectors.store(1.0) })
}

/// Eigenvalues of a symmetric matrix, the largest first, `[n]`; [`eigh`] without the vectors.
///
/// # Errors
/// Those of [`eigh`].
///
/// # Complexity
/// About 4/3·n³ operations in f64.
pub fn eigvalsh<T: Real>(a: ArrayView2<'_, T>) -> Result<Array1<T>> {
    let Scaled { columns, unit } = load(a)?;
    Ok(backend::eigvalsh(&columns)?.mapv(|x| T::narrow(x * unit)))
}

fn load<T: Real>(a: ArrayView2<'_, T>) -> Result<Scaled> {
    let (rows, cols) = a.dim();
    same_shape("a", [rows, cols], [rows, rows])?;
    Scaled::load("a", a)
}

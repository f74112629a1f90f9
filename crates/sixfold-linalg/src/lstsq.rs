//! Least squares on the data matrix itself.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::backend::{self, Scaled};
use crate::error::same_shape;
use crate::svd::{condition, rank};
use crate::{Error, Real, Result, matmul};

/// The least-squares solution of smallest norm, and how far it can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares<T> {
    /// X, `[n, p]`.
    pub solution: Array2<T>,
    /// Number of singular values of A above `rcond`·σ₁.
    pub rank: usize,
    /// Condition number σ₁/σ_k of A; infinite for a singular matrix.
    pub condition: f64,
    /// ‖A·X − B‖² of each right-hand side, `[p]`.
    pub residual_sum_squares: Array1<f64>,
    /// Singular values of A, the largest first, `[min(m, n)]`.
    pub singular_values: Array1<f64>,
}

/// Solves min ‖A·X − B‖_F; of several solutions the one of smallest norm.
///
/// A = QR, then the SVD of R; singular values at or below `rcond`·σ₁ count as zero. `rcond` has
/// no default on purpose: the answer of a rank-deficient problem depends on it. Twice the number
/// of columns times the precision of the data is a fair start.
///
/// # Shapes
/// `a` is `[m, n]`, `b` is `[m, p]`.
///
/// # Errors
/// `ShapeMismatch`, `Empty`, `NotFinite`, `NoConvergence`, and `InvalidParameter` unless
/// 0 ≤ `rcond` < 1.
///
/// # Complexity
/// 4·m·n² + 20·n³ operations in f64 for m ≥ n.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th ed., §5.5.
///
/// ```
/// use ndarray::array;
/// let a = array![[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]];
/// let b = array![[1.0], [3.0], [5.0]];
/// let fit = sixfold_linalg::lstsq(a.view(), b.view(), 1e-12)?;
/// assert_eq!(fit.rank, 2);
/// assert!((fit.solution[(1, 0)] - 2.0_f64).abs() < 1e-12);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
pub fn lstsq<T: Real>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    rcond: f64,
) -> Result<LeastSquares<T>> {
    check_rcond(rcond)?;
    same_shape("b", [b.nrows(), b.ncols()], [a.nrows(), b.ncols()])?;
    let (a, b) = (Scaled::load("a", a)?, Scaled::load("b", b)?);
    let (m, n) = (a.columns.rows, a.columns.cols);
    let (u, s, v, image) = if m > n {
        let (q, r) = backend::qr(&a.columns);
        let (u, s, v) = backend::svd(&r)?;
        (u, s, v, matmul(q.view().reversed_axes(), b.columns.view()))
    } else {
        let (u, s, v) = backend::svd(&a.columns)?;
        (u, s, v, b.columns.view().to_owned())
    };
    let kept = rank(&s, rcond);
    let mut coefficients = matmul(u.view().slice(s![.., ..kept]).reversed_axes(), image.view());
    for (mut row, s) in coefficients.rows_mut().into_iter().zip(&s) {
        row /= *s;
    }
    let x = matmul(v.view().slice(s![.., ..kept]), coefficients.view());
    let residual = &b.columns.view() - &matmul(a.columns.view(), x.view());
    let squares = residual.map_axis(Axis(0), |c| c.dot(&c) * b.unit * b.unit);
    let unit = b.unit / a.unit;
    Ok(LeastSquares {
        solution: x.mapv(|x| T::narrow(x * unit)),
        rank: kept,
        condition: condition(&s),
        residual_sum_squares: squares,
        singular_values: s * a.unit,
    })
}

pub(crate) fn check_rcond(rcond: f64) -> Result<()> {
    if (0.0..1.0).contains(&rcond) {
        return Ok(());
    }
    Err(Error::InvalidParameter { name: "rcond", found: rcond, expected: "0 ≤ rcond < 1" })
}

//! Singular value decomposition.

use ndarray::{Array1, Array2, ArrayView2};

use crate::backend::{self, Scaled};
use crate::{Real, Result};

/// A = U·diag(σ)·Vᵀ with k = min(m, n) and σ descending.
#[derive(Clone, Debug, PartialEq)]
pub struct Svd<T> {
    /// Left singular vectors in the columns, `[m, k]`.
    pub u: Array2<T>,
    /// Singular values σ, the largest first, `[k]`.
    pub s: Array1<T>,
    /// Right singular vectors in the rows, `[k, n]`.
    pub vt: Array2<T>,
}

impl<T: Real> Svd<T> {
    /// Number of singular values above `rcond`·σ₁.
    pub fn rank(&self, rcond: f64) -> usize {
        rank(&self.s, rcond)
    }

    /// Condition number σ₁/σ_k; infinite for a singular matrix.
    pub fn condition(&self) -> f64 {
        condition(&self.s)
    }
}

/// Thin singular value decomposition: A = U·diag(σ)·Vᵀ.
///
/// # Shapes
/// `a` is `[m, n]`, `u` is `[m, k]`, `s` is `[k]`, `vt` is `[k, n]` with k = min(m, n).
///
/// # Errors
/// `Empty`, `NotFinite` and `NoConvergence` of [`Error`](crate::Error).
///
/// # Complexity
/// About 14·m·n² + 8·n³ operations in f64 for m ≥ n. Residual and loss of orthogonality are
/// below 1e-12 relative; U and V are orthonormal also where σ = 0.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th ed., §8.6.
///
/// ```
/// use ndarray::array;
/// let svd = sixfold_linalg::svd(array![[3.0, 0.0], [0.0, -4.0]].view())?;
/// assert!((svd.s[0] - 4.0_f64).abs() < 1e-14);
/// assert_eq!(svd.rank(1e-12), 2);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
pub fn svd<T: Real>(a: ArrayView2<'_, T>) -> Result<Svd<T>> {
    let Scaled { columns, unit } = Scaled::load("a", a)?;
    let (u, s, v) = backend::svd(&columns)?;
    Ok(Svd { u: u.store(1.0), s: s.mapv(|x| T::narrow(x * unit)), vt: v.store_transposed(1.0) })
}

/// Singular values, the largest first; [`svd`] without the vectors.
///
/// # Errors
/// Those of [`svd`].
///
/// # Complexity
/// About 8/3·m·n² operations in f64 for m ≥ n near each other.
pub fn svdvals<T: Real>(a: ArrayView2<'_, T>) -> Result<Array1<T>> {
    let Scaled { columns, unit } = Scaled::load("a", a)?;
    Ok(backend::svdvals(&columns)?.mapv(|x| T::narrow(x * unit)))
}

/// Number of values above `rcond` times the first; values descend.
pub(crate) fn rank<T: Real>(s: &Array1<T>, rcond: f64) -> usize {
    let largest = s.first().map_or(0.0, |x| x.widen());
    s.iter().take_while(|x| x.widen() > 0.0 && x.widen() > rcond * largest).count()
}

/// First value over last; infinite where the last is zero.
pub(crate) fn condition<T: Real>(s: &Array1<T>) -> f64 {
    match (s.first(), s.last()) {
        (Some(first), Some(last)) if last.widen() > 0.0 => first.widen() / last.widen(),
        _ => f64::INFINITY,
    }
}

//! Thin QR by Householder reflections, and the faster Cholesky-QR2 for tall matrices.

use ndarray::{Array2, ArrayView2};

use crate::backend::{self, Cholesky, Columns, Scaled};
use crate::scale::{max_abs, power_of_two};
use crate::{Error, Real, Result, gram, matmul};

/// A = Q·R with k = min(m, n): orthonormal columns and an upper triangle.
#[derive(Clone, Debug, PartialEq)]
pub struct ThinQr<T> {
    /// Orthonormal columns, `[m, k]`.
    pub q: Array2<T>,
    /// Upper triangular (trapezoidal for m < n), `[k, n]`, its diagonal not negative.
    pub r: Array2<T>,
}

/// What [`cholesky_qr2`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct CholeskyQr<T> {
    /// Orthonormal columns, `[m, k]`.
    pub q: Array2<T>,
    /// Upper triangular, `[k, n]`, its diagonal not negative.
    pub r: Array2<T>,
    /// Whether the matrix was too ill-conditioned and Householder reflections were used.
    pub fell_back: bool,
}

/// Thin QR decomposition by Householder reflections: A = Q·R.
///
/// Signs are chosen so that the diagonal of R is not negative, which makes the factors of a
/// matrix of full column rank unique.
///
/// # Shapes
/// `a` is `[m, n]`, `q` is `[m, k]`, `r` is `[k, n]` with k = min(m, n).
///
/// # Errors
/// `Empty` and `NotFinite` of [`Error`].
///
/// # Complexity
/// 4·m·n² operations in f64 for m ≥ n. Columns of Q are orthonormal within 1e-14·n whatever the
/// rank of A.
///
/// # References
/// Golub and Van Loan, *Matrix Computations*, 4th ed., §5.2.
pub fn qr<T: Real>(a: ArrayView2<'_, T>) -> Result<ThinQr<T>> {
    let Scaled { columns, unit } = Scaled::load("a", a)?;
    let (mut q, mut r) = backend::qr(&columns);
    for i in 0..r.rows {
        if r.data[i * r.rows + i] < 0.0 {
            q.column_mut(i).iter_mut().for_each(|x| *x = -*x);
            r.data.iter_mut().skip(i).step_by(r.rows).for_each(|x| *x = -*x);
        }
    }
    Ok(ThinQr { q: q.store(1.0), r: r.store(unit) })
}

/// Thin QR of a tall matrix by two passes of Cholesky on the Gram matrix.
///
/// Each pass forms G = AᵀA in the type of the input, factorises G = RᵀR in f64 and replaces A by
/// A·R⁻¹; columns are scaled to norm 1 before. Where a pass fails, or the first leaves columns
/// too far from orthogonal for the second to mend, [`qr`] takes over, as it does for m < n.
///
/// # Shapes
/// As [`qr`].
///
/// # Errors
/// Those of [`qr`].
///
/// # Complexity
/// About 6·m·n² operations, nearly all of them matrix products in the type of the input.
/// Orthonormal within 10·n units in the last place of that type.
///
/// # References
/// Yamamoto, Nakatsukasa, Yanagisawa, Fukaya 2015, *Roundoff error analysis of the CholeskyQR2
/// algorithm*, ETNA 44, theorem 3.1.
#[doc(alias = "orthonormalise")]
pub fn cholesky_qr2<T: Real>(a: ArrayView2<'_, T>) -> Result<CholeskyQr<T>> {
    let max = max_abs("a", a)?;
    if let Some((q, r)) = two_passes(a, max) {
        return Ok(CholeskyQr { q, r, fell_back: false });
    }
    let ThinQr { q, r } = qr(a)?;
    Ok(CholeskyQr { q, r, fell_back: true })
}

fn two_passes<T: Real>(a: ArrayView2<'_, T>, max: f64) -> Option<(Array2<T>, Array2<T>)> {
    let (m, n) = a.dim();
    if m < n || n == 0 || max == 0.0 {
        return None;
    }
    let unit = power_of_two(max, T::MAX_SCALE_EXPONENT);
    let factor = T::narrow(1.0 / unit);
    let (q, first) = pass::<T>(a.mapv(|x| x * factor).view())?;
    let (q, second) = pass::<T>(q.view())?;
    // The second triangle is near the identity, or the first pass lost orthogonality.
    let drift = second
        .indexed_iter()
        .fold(0.0_f64, |worst, ((i, j), x)| worst.max((x - if i == j { 1.0 } else { 0.0 }).abs()));
    if drift > 0.1 {
        return None;
    }
    let r = matmul(second.view(), first.view());
    Some((q, r.mapv(|x| T::narrow(x * unit))))
}

/// A·R⁻¹ and R, or nothing where the Gram matrix is not safely positive definite.
fn pass<T: Real>(a: ArrayView2<'_, T>) -> Option<(Array2<T>, Array2<f64>)> {
    let mut g = gram(a);
    let n = g.nrows();
    let norms: Vec<f64> =
        g.diag().iter().map(|x| power_of_two(x.widen().sqrt(), T::MAX_SCALE_EXPONENT)).collect();
    for ((i, j), x) in g.indexed_iter_mut() {
        *x = T::narrow(x.widen() / (norms[i] * norms[j]));
    }
    let cholesky = Cholesky::new("a", Columns::load(g.view(), 1.0)).ok()?;
    // Squared pivots below the rounding of the Gram matrix say nothing about A.
    let lower = cholesky.factor().view();
    let floor = 100.0 * n as f64 * T::EPSILON;
    if lower.diag().iter().any(|x| x * x <= floor) {
        return None;
    }
    let mut inverse = Columns::zeros(n, n);
    for j in 0..n {
        inverse.column_mut(j)[j] = 1.0;
    }
    cholesky.solve_upper(&mut inverse);
    // R = L^T·diag(norms), R⁻¹ = diag(1/norms)·L^-T.
    let mut inverse: Array2<T> = inverse.store(1.0);
    for ((i, _), x) in inverse.indexed_iter_mut() {
        *x = T::narrow(x.widen() / norms[i]);
    }
    let q = matmul(a, inverse.view());
    let r = Array2::from_shape_fn((n, n), |(i, j)| lower[(j, i)] * norms[j]);
    q.iter().all(|x| x.is_finite()).then_some((q, r))
}

/// An orthonormal basis of the range of `a` (and more columns where its rank is short).
pub(crate) fn orthonormal<T: Real>(a: ArrayView2<'_, T>) -> Result<Array2<T>> {
    if a.is_empty() {
        return Err(Error::Empty { what: "a" });
    }
    cholesky_qr2(a).map(|factors| factors.q)
}

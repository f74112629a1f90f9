//! The leading singular triplets by randomised subspace iteration.

use ndarray::{Array1, Array2, ArrayView2, s};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Threads;
use crate::error::same_shape;
use crate::qr::orthonormal;
use crate::scale::max_abs;
use crate::{Error, LinearOperator, Real, Result, ensure_finite, matmul, matmul_into, qr, svd};

/// Probes of the matrix-free bound; it fails with probability 10^-PROBES.
const PROBES: usize = 10;

/// How hard [`truncated_svd`] tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruncatedSvdConfig {
    /// Columns of the subspace beyond the rank; 10 by default.
    pub oversample: usize,
    /// Multiplications by AᵀA after the first product; 2 by default. Slowly falling spectra want
    /// more.
    pub power_iterations: usize,
    /// Seed of the random start; the same seed gives the same result.
    pub seed: u64,
}

impl Default for TruncatedSvdConfig {
    fn default() -> Self {
        Self { oversample: 10, power_iterations: 2, seed: 0 }
    }
}

/// A ≈ U·diag(σ)·Vᵀ of a given rank r.
#[derive(Clone, Debug, PartialEq)]
pub struct TruncatedSvd<T> {
    /// Left singular vectors in the columns, `[m, r]`.
    pub u: Array2<T>,
    /// Singular values, the largest first, `[r]`.
    pub s: Array1<T>,
    /// Right singular vectors in the rows, `[r, n]`.
    pub vt: Array2<T>,
    /// An upper bound of ‖A − U·diag(σ)·Vᵀ‖₂.
    pub residual_bound: f64,
}

/// The `rank` largest singular triplets of a dense matrix.
///
/// Subspace iteration Y = (A·Aᵀ)^q·A·Ω on a Gaussian Ω with re-orthonormalisation after every
/// product, then the SVD of A projected on that subspace. The bound is the Frobenius norm of the
/// actual residual, which costs one product more and always holds.
///
/// # Shapes
/// `a` is `[m, n]`, 1 ≤ `rank` ≤ min(m, n).
///
/// # Errors
/// `Empty`, `NotFinite`, `NoConvergence`, and `InvalidParameter` for a rank out of range.
///
/// # Complexity
/// (2q + 2)·2·m·n·(r + oversample) operations in the type of the input, and 2·m·n·r for the
/// bound; q is the number of power iterations.
///
/// # References
/// Halko, Martinsson, Tropp 2011, *Finding structure with randomness*, algorithms 4.4 and 5.1.
#[doc(alias = "randomized_svd")]
pub fn truncated_svd<T: Real>(
    a: ArrayView2<'_, T>,
    rank: usize,
    config: &TruncatedSvdConfig,
) -> Result<TruncatedSvd<T>> {
    if a.is_empty() {
        return Err(Error::Empty { what: "a" });
    }
    // Near 1 in the type of the input, so that products of products stay in range.
    let unit = crate::scale::power_of_two(max_abs("a", a)?, T::MAX_SCALE_EXPONENT);
    let (factor, back) = (T::narrow(1.0 / unit), T::narrow(unit));
    let a = a.mapv(|x| x * factor);
    let (mut found, _) = iterate(&a, rank, config)?;
    let us = &found.u * &found.s;
    let mut residual = a;
    let (one, view) = (T::one(), residual.view_mut());
    matmul_into(-one, us.view(), found.vt.view(), one, view, Threads::Pool);
    let norm = residual.iter().map(|x| x.widen() * x.widen()).sum::<f64>().sqrt();
    found.residual_bound = (norm + rounding(&found)) * unit;
    found.s.mapv_inplace(|x| x * back);
    Ok(found)
}

/// The `rank` largest singular triplets of a matrix that is known by its products only.
///
/// As [`truncated_svd`], but the bound is probabilistic: 10·√(2/π)·max ‖(I − QQᵀ)A·ω‖ over ten
/// Gaussian probes ω, plus the first singular value left out; it fails with probability 1e-10.
/// It is about ten times the Frobenius norm of the residual.
///
/// # Errors
/// Those of [`truncated_svd`], and `ShapeMismatch` where the operator returns another shape than
/// it promised.
///
/// # References
/// Halko, Martinsson, Tropp 2011, *Finding structure with randomness*, lemma 4.1.
pub fn truncated_svd_of<T: Real>(
    op: &impl LinearOperator<T>,
    rank: usize,
    config: &TruncatedSvdConfig,
) -> Result<TruncatedSvd<T>> {
    let (mut found, basis) = iterate(op, rank, config)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed ^ 0x5bd1_e995_9d1b_54a5);
    let mut image = apply(op, gaussian::<T>(op.shape()[1], PROBES, &mut rng).view(), false)?;
    let inside = matmul(basis.q.t(), image.view());
    let (one, view) = (T::one(), image.view_mut());
    matmul_into(-one, basis.q.view(), inside.view(), one, view, Threads::Pool);
    let worst = image
        .columns()
        .into_iter()
        .map(|c| c.iter().map(|x| x.widen() * x.widen()).sum::<f64>().sqrt())
        .fold(0.0, f64::max);
    let outside = 10.0 * (2.0 / std::f64::consts::PI).sqrt() * worst;
    found.residual_bound = outside + basis.left_out + rounding(&found);
    Ok(found)
}

struct Basis<T> {
    q: Array2<T>,
    /// The first singular value of the projected matrix that the rank cuts off.
    left_out: f64,
}

fn iterate<T: Real>(
    op: &impl LinearOperator<T>,
    rank: usize,
    config: &TruncatedSvdConfig,
) -> Result<(TruncatedSvd<T>, Basis<T>)> {
    let [m, n] = op.shape();
    if m == 0 || n == 0 {
        return Err(Error::Empty { what: "operator" });
    }
    if rank == 0 || rank > m.min(n) {
        let (name, expected) = ("rank", "between 1 and min(m, n)");
        return Err(Error::InvalidParameter { name, found: rank as f64, expected });
    }
    let width = rank.saturating_add(config.oversample).min(m.min(n));
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let omega = gaussian::<T>(n, width, &mut rng);
    let mut q = orthonormal(apply(op, omega.view(), false)?.view())?;
    for _ in 0..config.power_iterations {
        let z = orthonormal(apply(op, q.view(), true)?.view())?;
        q = orthonormal(apply(op, z.view(), false)?.view())?;
    }
    // QᵀA = (Q₂R₂)ᵀ, so its SVD is that of the small R₂ with rotated bases.
    let projected = qr(apply(op, q.view(), true)?.view())?;
    let small = svd(projected.r.view())?;
    let u = matmul(q.view(), small.vt.slice(s![..rank, ..]).reversed_axes());
    let v = matmul(projected.q.view(), small.u.slice(s![.., ..rank]));
    let left_out = small.s.get(rank).map_or(0.0, |x| x.widen());
    let s = small.s.slice(s![..rank]).to_owned();
    let vt = v.reversed_axes().as_standard_layout().into_owned();
    Ok((TruncatedSvd { u, s, vt, residual_bound: f64::INFINITY }, Basis { q, left_out }))
}

/// What rounding may hide from a residual that was computed in `T`.
fn rounding<T: Real>(found: &TruncatedSvd<T>) -> f64 {
    let largest = found.s.first().map_or(0.0, |x| x.widen());
    let side = found.u.nrows().max(found.vt.ncols()) as f64;
    10.0 * T::EPSILON * side.sqrt() * largest
}

fn apply<T: Real>(
    op: &impl LinearOperator<T>,
    x: ArrayView2<'_, T>,
    transpose: bool,
) -> Result<Array2<T>> {
    let [m, n] = op.shape();
    let (y, rows) = if transpose { (op.apply_transpose(x), n) } else { (op.apply(x), m) };
    same_shape("product of the operator", [y.nrows(), y.ncols()], [rows, x.ncols()])?;
    ensure_finite("product of the operator", y.view())?;
    Ok(y)
}

/// Independent standard normal numbers by Box and Muller.
fn gaussian<T: Real>(rows: usize, cols: usize, rng: &mut impl Rng) -> Array2<T> {
    Array2::from_shape_simple_fn((rows, cols), || {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        T::narrow(radius * (std::f64::consts::TAU * rng.random::<f64>()).cos())
    })
}

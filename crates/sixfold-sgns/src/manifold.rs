//! Matrices of a fixed rank, as a Riemannian manifold.

use ndarray::{Array1, Array2, ArrayView2, s};
use sixfold_linalg::{Real, cholesky_qr2, matmul, qr, svd};

use crate::{Error, Result};

/// A point X = U·S·Vᵀ of rank d: orthonormal columns U and V, any invertible S.
///
/// Tangent vectors are U·M·Vᵀ + Uₚ·Vᵀ + U·Vₚᵀ with UᵀUₚ = 0 and VᵀVₚ = 0; the metric is that of the
/// matrices around it.
///
/// # References
/// Vandereycken 2013, *Low-rank matrix completion by Riemannian optimization*, section 2; Absil and
/// Oseledets 2015, *Low-rank retractions: a survey and new results*.
///
/// ```
/// use ndarray::array;
/// use sixfold_sgns::FixedRank;
/// let x = FixedRank::from_product(array![[1.0], [2.0]].view(), array![[3.0], [4.0]].view())?;
/// assert!((x.to_matrix()[[1, 1]] - 8.0_f64).abs() < 1e-12);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FixedRank<T> {
    pub(crate) u: Array2<T>,
    pub(crate) s: Array2<T>,
    pub(crate) v: Array2<T>,
}

/// A tangent vector U·M·Vᵀ + Uₚ·Vᵀ + U·Vₚᵀ at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Tangent<T> {
    /// M, `[d, d]`.
    pub m: Array2<T>,
    /// Uₚ, `[n, d]`.
    pub up: Array2<T>,
    /// Vₚ, `[m, d]`.
    pub vp: Array2<T>,
}

impl<T: Real> FixedRank<T> {
    /// The point A·Bᵀ.
    ///
    /// # Shapes
    /// `a` is `[n, d]`, `b` is `[m, d]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] where the ranks differ, and those of the QR decomposition.
    ///
    /// # Complexity
    /// Two thin QR decompositions, O((n + m)·d²).
    pub fn from_product(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Result<Self> {
        if a.ncols() != b.ncols() {
            let (expected, found) = ([b.nrows(), a.ncols()], b.dim().into());
            return Err(Error::ShapeMismatch { what: "the second factor", expected, found });
        }
        let (left, right) = (cholesky_qr2(a)?, cholesky_qr2(b)?);
        let s = matmul(left.r.view(), right.r.t());
        Ok(Self { u: left.q, s, v: right.q })
    }

    /// U, `[n, d]`.
    pub fn u(&self) -> ArrayView2<'_, T> {
        self.u.view()
    }

    /// S, `[d, d]`.
    pub fn s(&self) -> ArrayView2<'_, T> {
        self.s.view()
    }

    /// V, `[m, d]`.
    pub fn v(&self) -> ArrayView2<'_, T> {
        self.v.view()
    }

    /// d.
    pub fn rank(&self) -> usize {
        self.s.nrows()
    }

    /// X itself, `[n, m]`: for small matrices.
    pub fn to_matrix(&self) -> Array2<T> {
        matmul(self.us().view(), self.v.t())
    }

    /// U·S, `[n, d]`.
    pub(crate) fn us(&self) -> Array2<T> {
        matmul(self.u.view(), self.s.view())
    }

    /// The projection of an ambient matrix G on the tangent space, from its two products.
    ///
    /// # Shapes
    /// `gv` = G·V is `[n, d]`, `gtu` = Gᵀ·U is `[m, d]`.
    pub fn project(&self, gv: Array2<T>, gtu: Array2<T>) -> Tangent<T> {
        let m = matmul(self.u.t(), gv.view());
        let up = gv - matmul(self.u.view(), m.view());
        let vp = gtu - matmul(self.v.view(), m.t());
        Tangent { m, up, vp }
    }

    /// The point of rank d nearest to X + t·ξ.
    ///
    /// # Errors
    /// Those of the decompositions.
    ///
    /// # Complexity
    /// Two thin QR decompositions of n×d and m×d, and an SVD of 2d×2d.
    pub fn retract(&self, tangent: &Tangent<T>, t: T) -> Result<Self> {
        let d = self.rank();
        let (up, vp) = (qr(tangent.up.view())?, qr(tangent.vp.view())?);
        // X + t·ξ = [U Q]·[S + t·M, t·Rᵥᵀ; t·Rᵤ, 0]·[V Q]ᵀ
        let (rows, columns) = (up.r.nrows(), vp.r.nrows());
        let mut core = Array2::zeros((d + rows, d + columns));
        core.slice_mut(s![..d, ..d]).assign(&(&self.s + &(&tangent.m * t)));
        core.slice_mut(s![d.., ..d]).assign(&(&up.r * t));
        core.slice_mut(s![..d, d..]).assign(&(&vp.r.t() * t));
        let small = svd(core.view())?;
        let turned = |base: &Array2<T>, q: &Array2<T>, by: ArrayView2<'_, T>| {
            matmul(base.view(), by.slice(s![..d, ..])) + matmul(q.view(), by.slice(s![d.., ..]))
        };
        let u = turned(&self.u, &up.q, small.u.slice(s![.., ..d]));
        let v = turned(&self.v, &vp.q, small.vt.slice(s![..d, ..]).reversed_axes());
        Ok(Self { u, s: Array2::from_diag(&small.s.slice(s![..d])), v })
    }

    /// A tangent vector at another point, carried here by projection.
    ///
    /// # Complexity
    /// O((n + m)·d²).
    pub fn transport(&self, from: &Self, tangent: &Tangent<T>) -> Tangent<T> {
        // ξ = (U·M + Uₚ)·Vᵀ + U·Vₚᵀ of the other point.
        let left = matmul(from.u.view(), tangent.m.view()) + &tangent.up;
        let vv = matmul(from.v.t(), self.v.view());
        let vpv = matmul(tangent.vp.t(), self.v.view());
        let gv = matmul(left.view(), vv.view()) + matmul(from.u.view(), vpv.view());
        let lu = matmul(left.t(), self.u.view());
        let uu = matmul(from.u.t(), self.u.view());
        let gtu = matmul(from.v.view(), lu.view()) + matmul(tangent.vp.view(), uu.view());
        self.project(gv, gtu)
    }

    /// The singular value decomposition of X: U `[n, d]`, Σ `[d]` falling, V `[m, d]`.
    ///
    /// # Errors
    /// Those of the decomposition of S.
    pub fn svd(&self) -> Result<(Array2<T>, Array1<T>, Array2<T>)> {
        let small = svd(self.s.view())?;
        let u = matmul(self.u.view(), small.u.view());
        let v = matmul(self.v.view(), small.vt.t());
        Ok((u, small.s, v))
    }
}

impl<T: Real> Tangent<T> {
    /// ⟨ξ, η⟩, that of the matrices; summed in f64.
    pub fn inner(&self, other: &Self) -> f64 {
        dot(&self.m, &other.m) + dot(&self.up, &other.up) + dot(&self.vp, &other.vp)
    }

    /// ξ·a + η·b.
    pub fn combine(&self, a: T, other: &Self, b: T) -> Self {
        let sum = |x: &Array2<T>, y: &Array2<T>| x * a + y * b;
        Self {
            m: sum(&self.m, &other.m),
            up: sum(&self.up, &other.up),
            vp: sum(&self.vp, &other.vp),
        }
    }
}

/// Σ x·y in f64.
pub(crate) fn dot<T: Real>(x: &Array2<T>, y: &Array2<T>) -> f64 {
    x.iter().zip(y).map(|(x, y)| x.widen() * y.widen()).sum()
}

//! The polar factor, and the rotation that best maps one matrix to another.

use ndarray::{Array2, ArrayView2};

use crate::backend::{self, Scaled};
use crate::error::same_shape;
use crate::scale::{max_abs, power_of_two};
use crate::{Error, Real, Result, cross_gram, gram, matmul};

/// A = U·P: an orthogonal factor and a positive semi-definite one.
#[derive(Clone, Debug, PartialEq)]
pub struct Polar<T> {
    /// The polar factor U, `[m, n]`: orthonormal columns for m ≥ n, orthonormal rows for m ≤ n.
    pub factor: Array2<T>,
    /// P = (AᵀA)^½, `[n, n]`, symmetric and positive semi-definite.
    pub positive: Array2<T>,
}

/// Polar decomposition A = U·P through the SVD A = W·Σ·Vᵀ: U = W·Vᵀ, P = V·Σ·Vᵀ.
///
/// U is the orthogonal matrix nearest to A in every unitarily invariant norm. Where A has not
/// full rank it is one of several.
///
/// # Shapes
/// `a` is `[m, n]`.
///
/// # Errors
/// Those of [`svd`](crate::svd).
///
/// # Complexity
/// One SVD.
///
/// # References
/// Higham 1986, *Computing the polar decomposition — with applications*.
pub fn polar<T: Real>(a: ArrayView2<'_, T>) -> Result<Polar<T>> {
    let Scaled { columns, unit } = Scaled::load("a", a)?;
    let (w, s, v) = backend::svd(&columns)?;
    let factor = matmul(w.view(), v.view().reversed_axes());
    let half = &v.view() * &s.mapv(f64::sqrt);
    let positive = gram(half.t());
    Ok(Polar { factor: factor.mapv(T::narrow), positive: positive.mapv(|x| T::narrow(x * unit)) })
}

/// The rotation R that minimises ‖X·R − Y‖_F, and how near it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Procrustes<T> {
    /// The orthogonal matrix R (its determinant may be −1), `[d, d]`.
    pub rotation: Array2<T>,
    /// The factor c that minimises ‖c·X·R − Y‖_F: ‖XᵀY‖_* / ‖X‖²_F.
    pub scale: f64,
    /// ‖XᵀY‖²_* / (‖X‖²_F·‖Y‖²_F), between 0 and 1: the share of ‖Y‖² that c·X·R explains.
    pub similarity: f64,
    /// ‖X·R − Y‖²_F, without the factor c: ‖X‖² + ‖Y‖² − 2‖XᵀY‖_*, up to the rounding of these
    /// three.
    pub residual: f64,
}

/// Orthogonal Procrustes problem: the rotation that best maps the rows of X to those of Y.
///
/// R = W·Vᵀ from the SVD XᵀY = W·Σ·Vᵀ. The matrices are taken as they are: centre them first
/// where the offset should not count.
///
/// # Shapes
/// `x` and `y` are both `[n, d]`.
///
/// # Errors
/// `ShapeMismatch`, `Empty`, `NotFinite`, `NoConvergence`, and `ZeroVariance` where X or Y is 0.
///
/// # Complexity
/// 2·n·d² operations in the type of the input and one SVD of `[d, d]`.
///
/// # References
/// Schönemann 1966, *A generalized solution of the orthogonal Procrustes problem*; Gower 1975.
#[doc(alias = "procrustes_similarity")]
pub fn orthogonal_procrustes<T: Real>(
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
) -> Result<Procrustes<T>> {
    same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), x.ncols()])?;
    if x.is_empty() {
        return Err(Error::Empty { what: "x" });
    }
    let scaled = |what, a: ArrayView2<'_, T>| {
        let unit = power_of_two(max_abs(what, a)?, T::MAX_SCALE_EXPONENT);
        let factor = T::narrow(1.0 / unit);
        Ok((a.mapv(|v| v * factor), unit))
    };
    let ((x, unit_x), (y, unit_y)) = (scaled("x", x)?, scaled("y", y)?);
    let squares = |a: &Array2<T>| a.iter().map(|v| v.widen() * v.widen()).sum::<f64>();
    let (xx, yy) = (squares(&x), squares(&y));
    let c = cross_gram(x.view(), y.view()).mapv(T::widen);
    let found = procrustes_from_gram(c.view(), xx, yy)?;
    let nuclear = found.scale * xx;
    // In the larger of the two units, so that no square leaves the range on the way.
    let unit = unit_x.max(unit_y);
    let (by_x, by_y) = (unit_x / unit, unit_y / unit);
    let residual = xx * by_x * by_x + yy * by_y * by_y - 2.0 * nuclear * by_x * by_y;
    Ok(Procrustes {
        rotation: found.rotation.mapv(T::narrow),
        scale: found.scale * (unit_y / unit_x),
        similarity: found.similarity,
        residual: residual.max(0.0) * unit * unit,
    })
}

/// [`orthogonal_procrustes`] from the cross-Gram matrix C = XᵀY and the squared norms, for data
/// that was only seen in one pass.
///
/// # Shapes
/// `c` is `[d, d]`; `xx` = ‖X‖²_F and `yy` = ‖Y‖²_F.
///
/// # Errors
/// `ShapeMismatch`, `Empty`, `NotFinite`, `NoConvergence`, and `ZeroVariance` unless both norms
/// are positive.
pub fn procrustes_from_gram(c: ArrayView2<'_, f64>, xx: f64, yy: f64) -> Result<Procrustes<f64>> {
    same_shape("c", [c.nrows(), c.ncols()], [c.nrows(), c.nrows()])?;
    for (what, norm) in [("x", xx), ("y", yy)] {
        if !norm.is_finite() {
            return Err(Error::NotFinite { what, row: 0, col: 0 });
        }
        if norm <= 0.0 {
            return Err(Error::ZeroVariance { what });
        }
    }
    let Scaled { columns, unit } = Scaled::load("c", c)?;
    let (w, s, v) = backend::svd(&columns)?;
    let nuclear = s.sum() * unit;
    Ok(Procrustes {
        rotation: matmul(w.view(), v.view().reversed_axes()),
        scale: nuclear / xx,
        // At most 1 by von Neumann's inequality; rounding may go beyond.
        similarity: ((nuclear / xx) * (nuclear / yy)).min(1.0),
        residual: (xx + yy - 2.0 * nuclear).max(0.0),
    })
}

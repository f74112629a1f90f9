//! The score as the paper's own code computes it, for comparison with its numbers.

use ndarray::{ArrayView2, Axis};
use sixfold_linalg::{Real, ensure_finite, matmul, svd};

use crate::error::same_shape;
use crate::{Error, Result};

/// LLM-Microscope's `procrustes_similarity`: centre, divide by the Frobenius norm, map by
/// A = V·S⁻¹·Uᵀ·Y from the thin SVD of X without any cut, 1 − ‖XA − Y‖².
///
/// In exact arithmetic this is [`Linearity::score`](crate::Linearity::score). Every singular value
/// is inverted, however small, so that a rank-deficient X gives a number without meaning; in the
/// original, which computes in f32, rank 40 in 256 dimensions gives .107 where .817 is right. Here the
/// SVD is computed in f64, so that the two agree where the original is sound, to 1e-6 in f64.
///
/// Centring leaves n − 1 directions. With n ≤ dx the original divides by rounding, and its number is
/// arbitrary in f64 too; here Uᵀ·Y is multiplied first, and the score is 1, as for any map that fits.
///
/// # Shapes
/// `x` is `[n, dx]`, `y` is `[n, dy]`.
///
/// # Errors
/// [`Error::ShapeMismatch`], [`Error::TooFewTokens`], [`Error::AllEqual`], a value that is not
/// finite.
///
/// # Complexity
/// An SVD of `[n, dx]`, and all rows in memory at once.
pub fn procrustes_similarity<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<f64> {
    same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), y.ncols()])?;
    ensure_finite("x", x)?;
    ensure_finite("y", y)?;
    let n = x.nrows() as u64;
    if n < 2 {
        return Err(Error::TooFewTokens { what: "linearity", found: n, needed: 2 });
    }
    let unit = |a: ArrayView2<'_, T>, side| {
        let a = a.mapv(T::widen);
        let mean = a.mean_axis(Axis(0)).unwrap_or_default();
        let centred = a - &mean;
        let norm = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
        match norm > 0.0 {
            true => Ok(centred / norm),
            false => Err(Error::AllEqual { what: "linearity", n, side }),
        }
    };
    let (x, y) = (unit(x, "before the layer")?, unit(y, "after the layer")?);
    let thin = svd(x.view())?;
    let inverse = thin.s.mapv(|s| 1.0 / s).insert_axis(Axis(1));
    let map = matmul(thin.vt.t(), (matmul(thin.u.t(), y.view()) * &inverse).view());
    let residual = matmul(x.view(), map.view()) - y;
    Ok(1.0 - residual.iter().map(|v| v * v).sum::<f64>())
}

/// LLM-Microscope's score without the residual stream: [`procrustes_similarity`] of Y − X.
///
/// # Shapes
/// `x` and `y` are `[n, d]`.
///
/// # Errors
/// As [`procrustes_similarity`]; [`Error::AllEqual`] where the layer adds the same to every token.
///
/// # Complexity
/// As [`procrustes_similarity`]: the same SVD once more.
#[doc(alias = "procrustes_similarity_centered")]
pub fn without_residual<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Result<f64> {
    same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), x.ncols()])?;
    // In the type of the states, as there.
    procrustes_similarity(x, (&y - &x).view())
}

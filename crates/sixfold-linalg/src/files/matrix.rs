//! A matrix of one of the two number types.

use crate::Real;
use ndarray::{Array2, ArrayView2, CowArray, Ix2};

/// A matrix from a file: a view of the mapped bytes where they can be used as they are, a copy of
/// what had to be converted (half precision, data that is not aligned).
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix<'a> {
    /// Single precision, or widened to it.
    F32(CowArray<'a, f32, Ix2>),
    /// Double precision.
    F64(CowArray<'a, f64, Ix2>),
}

/// What to do with a matrix of either type: a closure cannot be generic, a trait can.
///
/// ```
/// use ndarray::{Array2, ArrayView2};
/// use sixfold_linalg::Real;
/// use sixfold_linalg::files::{Matrix, OnMatrix};
///
/// struct Trace;
/// impl OnMatrix for Trace {
///     type Output = f64;
///     fn on<T: Real>(self, x: ArrayView2<'_, T>) -> f64 {
///         x.diag().iter().map(|value| value.widen()).sum()
///     }
/// }
/// assert_eq!(Matrix::F32(Array2::eye(3).into()).visit(Trace), 3.0);
/// ```
pub trait OnMatrix {
    /// The result.
    type Output;

    /// Does it, on the matrix in its own type.
    fn on<T: Real>(self, x: ArrayView2<'_, T>) -> Self::Output;
}

impl Matrix<'_> {
    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::F32(x) => x.dim(),
            Self::F64(x) => x.dim(),
        }
    }

    /// Whether the values lie in the file, and not in a copy.
    pub fn is_mapped(&self) -> bool {
        match self {
            Self::F32(x) => x.is_view(),
            Self::F64(x) => x.is_view(),
        }
    }

    /// Calls `visitor` on the matrix in its own type.
    pub fn visit<V: OnMatrix>(&self, visitor: V) -> V::Output {
        match self {
            Self::F32(x) => visitor.on(x.view()),
            Self::F64(x) => visitor.on(x.view()),
        }
    }

    /// A copy in double precision.
    pub fn to_f64(&self) -> Array2<f64> {
        match self {
            Self::F32(x) => x.mapv(f64::from),
            Self::F64(x) => x.to_owned().into_owned(),
        }
    }
}

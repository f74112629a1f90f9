//! Matrices that are known by their products only.

use ndarray::{Array2, ArrayView2};

use crate::{Real, matmul};

/// A linear map that can be applied to blocks of vectors, such as a sparse matrix.
///
/// [`truncated_svd_of`](crate::truncated_svd_of) and
/// [`lanczos_largest`](crate::lanczos_largest) need no more than this. Dense arrays and views
/// implement it.
pub trait LinearOperator<T> {
    /// Rows and columns `[m, n]`.
    fn shape(&self) -> [usize; 2];

    /// A·X.
    ///
    /// # Shapes
    /// `x` is `[n, k]`, the result `[m, k]`.
    fn apply(&self, x: ArrayView2<'_, T>) -> Array2<T>;

    /// Aᵀ·X.
    ///
    /// # Shapes
    /// `x` is `[m, k]`, the result `[n, k]`.
    fn apply_transpose(&self, x: ArrayView2<'_, T>) -> Array2<T>;
}

impl<T: Real> LinearOperator<T> for ArrayView2<'_, T> {
    fn shape(&self) -> [usize; 2] {
        [self.nrows(), self.ncols()]
    }

    fn apply(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        matmul(self.view(), x)
    }

    fn apply_transpose(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        matmul(self.t(), x)
    }
}

impl<T: Real> LinearOperator<T> for Array2<T> {
    fn shape(&self) -> [usize; 2] {
        [self.nrows(), self.ncols()]
    }

    fn apply(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        matmul(self.view(), x)
    }

    fn apply_transpose(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        matmul(self.t(), x)
    }
}

impl<T, O: LinearOperator<T> + ?Sized> LinearOperator<T> for &O {
    fn shape(&self) -> [usize; 2] {
        (**self).shape()
    }

    fn apply(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        (**self).apply(x)
    }

    fn apply_transpose(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        (**self).apply_transpose(x)
    }
}

//! MeProp: of the gradient of each output row only the largest entries go back.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait KeepOps: Backend {
        /// y itself.
        fn keep(y: FloatTensor<Self>, k: usize) -> FloatTensor<Self>;

        /// g with all but the k largest entries of each row set to zero.
        fn keep_backward(g: FloatTensor<Self>, k: usize) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::KeepOps;

/// Gives y back; of its gradient only the k largest entries of each row, by absolute value, go on.
///
/// Ties are broken by the lower column.
///
/// # Shapes
/// `[n, d]` → the same
///
/// # Panics
/// If the type is not f32.
///
/// # Complexity
/// Backward: O(n·d).
///
/// # References
/// Sun et al., arXiv 1706.06197, equation 9.
pub fn keep(y: Tensor<2>, k: usize) -> Tensor<2> {
    assert!(y.dtype() == DType::F32, "gradients are kept in f32");
    if k >= y.dims()[1] {
        return y;
    }
    Tensor::from_dispatch(Dispatch::keep(y.into_dispatch(), k))
}

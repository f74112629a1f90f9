//! The largest entries of a list, on its device.

#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Int, Tensor};

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray")
    )]
    pub(crate) trait TopKOps: Backend {
        /// The places of the k largest magnitudes, ascending.
        fn top_k(values: FloatTensor<Self>, k: usize) -> IntTensor<Self>;
    }
}
pub(crate) use extension::TopKOps;

/// The places of the k values of the largest magnitude, ascending, on a device without autodiff; of equal ones the first
/// are kept.
///
/// A value that is no number counts as larger than all others, so that whoever gathers the values sees it. On GPUs
/// nothing waits for the host: the k-th magnitude is found by its bits, four at a time, and entries are written in the
/// order of the list.
///
/// # Shapes
/// `[n]` → `[k]`
///
/// # Panics
/// If k is 0 or above n, or the device records gradients.
///
/// # Complexity
/// O(n): on GPUs ten passes over the list.
pub fn top_k(values: Tensor<1>, k: usize) -> Tensor<1, Int> {
    let n = values.dims()[0];
    assert!(0 < k && k <= n, "{k} of {n} values");
    assert!(!values.device().is_autodiff(), "a choice has no derivative");
    if values.dtype() != DType::F32 {
        return reference::top_k(values, k);
    }
    Tensor::from_dispatch(Dispatch::top_k(values.into_dispatch(), k))
}

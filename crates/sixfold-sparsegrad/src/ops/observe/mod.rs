//! The gradient of a few entries of a core, beside a map that stays as it is.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
pub(super) mod host;
pub mod reference;

use std::sync::Arc;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Int, Tensor};

use crate::Mask;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait ObserveOps: Backend {
        /// y itself.
        fn observe_rotated(
            y: FloatTensor<Self>,
            z: FloatTensor<Self>,
            values: FloatTensor<Self>,
            v: FloatTensor<Self>,
            indices: IntTensor<Self>,
            mask: Arc<Mask>,
        ) -> FloatTensor<Self>;

        /// y itself, where the outputs are not rotated.
        fn observe_plain(
            y: FloatTensor<Self>,
            z: FloatTensor<Self>,
            values: FloatTensor<Self>,
            indices: IntTensor<Self>,
            mask: Arc<Mask>,
        ) -> FloatTensor<Self>;

        /// dy·V
        fn rotate_outputs(g: FloatTensor<Self>, v: FloatTensor<Self>) -> FloatTensor<Self>;

        /// The entries of zᵀ·g at the mask.
        fn entries(
            z: FloatTensor<Self>,
            g: FloatTensor<Self>,
            indices: IntTensor<Self>,
            mask: Arc<Mask>,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::ObserveOps;

/// Gives y back, and the gradient of the trained entries S of y = x·(W + U·S·Vᵀ) to `values`:
///
/// ```text
/// dS = zᵀ·(dy·V) at the mask,  z = x·U
/// ```
///
/// The weights hold U·S·Vᵀ already, so that the forward pass costs nothing; what waits for the backward pass is z
/// and not x.
///
/// # Shapes
/// `y`: `[n, d_out]`, `z`: `[n, r_in]`, `values`: `[k]`, `v`: `[d_out, r_out]` or none where the outputs are not
/// rotated; `indices` are those of the mask on the device, empty for all entries → `[n, d_out]`
///
/// # Panics
/// If the shapes do not fit.
///
/// # Complexity
/// Backward: `2·n·d_out·r_out` operations, and `2·n·r_in·r_out` or, for few entries, `2·n·k`.
pub fn observe(
    y: Tensor<2>,
    z: Tensor<2>,
    values: Tensor<1>,
    v: Option<Tensor<2>>,
    indices: Tensor<1, Int>,
    mask: &Arc<Mask>,
) -> Tensor<2> {
    let [rows, columns] = mask.shape();
    let width = v.as_ref().map_or(y.dims()[1], |v| v.dims()[1]);
    assert_eq!(y.dims()[0], z.dims()[0], "rows of y and z");
    assert_eq!([z.dims()[1], width], [rows, columns], "the core of the mask");
    assert_eq!(values.dims()[0], mask.len(), "a value for each entry of the mask");
    if y.dtype() != DType::F32 || values.dtype() != DType::F32 {
        return reference::observe(y, z, values, v, indices, mask);
    }
    let (y, z) = (y.into_dispatch(), z.into_dispatch());
    let (values, indices, mask) = (values.into_dispatch(), indices.into_dispatch(), mask.clone());
    Tensor::from_dispatch(match v {
        Some(v) => Dispatch::observe_rotated(y, z, values, v.into_dispatch(), indices, mask),
        None => Dispatch::observe_plain(y, z, values, indices, mask),
    })
}

//! The change that a core makes to the weights.

#[cfg(feature = "cube")]
mod cube;
mod host;
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
        NdArray: cfg(feature = "ndarray")
    )]
    pub(crate) trait UpdateOps: Backend {
        /// W + U·S·Vᵀ. Empty bases are those of a side that is not rotated.
        fn update(
            w: FloatTensor<Self>,
            u: FloatTensor<Self>,
            v: FloatTensor<Self>,
            values: FloatTensor<Self>,
            indices: IntTensor<Self>,
            mask: Arc<Mask>,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::UpdateOps;

/// The weights after a change S of the core: W + U·S·Vᵀ, on a device without autodiff.
///
/// On CPUs in the memory of the weights, where nobody shares it.
///
/// # Shapes
/// `w`: `[d_in, d_out]`, `u`: `[d_in, r_in]`, `v`: `[d_out, r_out]`, none for a side that is not rotated; `values`:
/// `[k]`, `indices` those of the mask on the device, empty for all entries → `[d_in, d_out]`
///
/// # Panics
/// If the shapes do not fit, or the device records gradients.
///
/// # Complexity
/// `2·d_in·d_out·r_out` operations, and `2·d_in·k` at most before.
pub fn update(
    w: Tensor<2>,
    u: Option<&Tensor<2>>,
    v: Option<&Tensor<2>>,
    values: Tensor<1>,
    indices: Tensor<1, Int>,
    mask: &Arc<Mask>,
) -> Tensor<2> {
    let [rows, columns] = mask.shape();
    let [d_in, d_out] = w.dims();
    let shape = |basis: Option<&Tensor<2>>, d: usize| basis.map_or([d, d], Tensor::dims);
    assert_eq!(shape(u, d_in), [d_in, rows], "U");
    assert_eq!(shape(v, d_out), [d_out, columns], "V");
    assert_eq!(values.dims()[0], mask.len(), "a value for each entry of the mask");
    assert!(!w.device().is_autodiff(), "weights change outside the tape");
    if w.dtype() != DType::F32 {
        return reference::update(w, u, v, values, indices, mask);
    }
    let basis = |basis: Option<&Tensor<2>>| match basis {
        Some(basis) => basis.clone().into_dispatch(),
        None => Tensor::<2>::zeros([0, 0], (&w.device(), DType::F32)).into_dispatch(),
    };
    let (u, v, values) = (basis(u), basis(v), values.into_dispatch());
    let w = w.into_dispatch();
    Tensor::from_dispatch(Dispatch::update(w, u, v, values, indices.into_dispatch(), mask.clone()))
}

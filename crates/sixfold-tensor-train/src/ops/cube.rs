//! What the kernels on CUDA and wgpu share.

use burn::backend::ops::IntTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;
use burn_cubecl::CubeBackend;

/// Indices on the device of a tensor. A list of none has a 0, for no device has memory of no length.
pub(super) fn ints(values: &[u32], like: &FloatTensor<CubeBackend>) -> IntTensor<CubeBackend> {
    signed(values.iter().map(|value| *value as i32).collect(), like)
}

/// As [`ints`].
pub(super) fn signed(
    mut values: Vec<i32>,
    like: &FloatTensor<CubeBackend>,
) -> IntTensor<CubeBackend> {
    if values.is_empty() {
        values.push(0);
    }
    let length = values.len();
    CubeBackend::int_from_data(TensorData::new(values, [length]), &like.device)
}

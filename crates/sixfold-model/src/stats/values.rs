//! Values of a tensor on the host.

use burn::tensor::{DType, Tensor};

/// The values in f32, row by row; a copy.
pub(super) fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    let data = x.inner().into_data();
    match data.dtype() {
        DType::F32 => data.try_into_vec().expect("the type was asked before"),
        _ => data.iter::<f32>().collect(),
    }
}

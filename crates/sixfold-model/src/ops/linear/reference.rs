//! The affine map made of plain burn operations.

use burn::tensor::Tensor;

/// See [`linear`](super::linear).
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let dtype = x.dtype();
    burn::tensor::module::linear(x, weight.cast(dtype), bias.map(|bias| bias.cast(dtype)))
}

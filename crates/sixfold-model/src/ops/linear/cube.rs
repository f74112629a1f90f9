//! The affine map on CUDA and wgpu: burn's own products, which know the matrix units.

use burn::backend::TensorMetadata;
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn::backend::tensor::FloatTensor;
use burn::tensor::FloatDType;
use burn_cubecl::CubeBackend;

use super::LinearOps;

/// Half weights are widened for the time of a product.
fn widened(weight: FloatTensor<CubeBackend>) -> FloatTensor<CubeBackend> {
    match weight.dtype().size() {
        2 => CubeBackend::float_cast(weight, FloatDType::F32),
        _ => weight,
    }
}

impl LinearOps for CubeBackend {
    fn affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        <Self as ModuleOps<Self>>::linear(x, widened(weight), Some(bias))
    }

    fn project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as ModuleOps<Self>>::linear(x, widened(weight), None)
    }

    fn affine_grad_x(weight: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as ModuleOps<Self>>::linear_x_backward(widened(weight), g)
    }

    fn affine_grad_weight(x: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as ModuleOps<Self>>::linear_weight_backward(x, g)
    }

    fn affine_grad_bias(g: FloatTensor<Self>) -> FloatTensor<Self> {
        <Self as ModuleOps<Self>>::linear_bias_backward(g)
    }
}

//! Activations on CUDA and wgpu.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::ActivationOps;
use crate::Activation;
use crate::ops::cube::{elementwise, empty_like};

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    use crate::Activation;

    #[cube(launch)]
    pub(super) fn activate(x: &Tensor<f32>, out: &mut Tensor<f32>, #[comptime] kind: Activation) {
        if ABSOLUTE_POS < out.len() {
            let x = x[ABSOLUTE_POS];
            out[ABSOLUTE_POS] = match comptime!(kind) {
                Activation::Gelu => x * normal_cdf(x),
                Activation::GeluTanh => x * sigmoid(tanh_form(x)),
                Activation::QuickGelu => x * sigmoid(1.702f32 * x),
                Activation::Relu => select(x < 0.0f32, f32::new(0.0), x),
                Activation::Silu => x * sigmoid(x),
                Activation::Tanh => f32::tanh(x),
            };
        }
    }

    #[cube(launch)]
    pub(super) fn derivative(
        x: &Tensor<f32>,
        d: &Tensor<f32>,
        out: &mut Tensor<f32>,
        #[comptime] kind: Activation,
    ) {
        if ABSOLUTE_POS < out.len() {
            let x = x[ABSOLUTE_POS];
            let slope = match comptime!(kind) {
                Activation::Gelu => normal_cdf(x) + x * f32::exp(-0.5f32 * x * x) * 0.398_942_3f32,
                Activation::GeluTanh => {
                    gate(x, tanh_form(x), 1.595_769f32 * (1.0f32 + 0.134_145f32 * x * x))
                }
                Activation::QuickGelu => gate(x, 1.702f32 * x, f32::new(1.702)),
                Activation::Relu => select(x > 0.0f32, f32::new(1.0), f32::new(0.0)),
                Activation::Silu => gate(x, x, f32::new(1.0)),
                Activation::Tanh => 1.0f32 - f32::tanh(x) * f32::tanh(x),
            };
            out[ABSOLUTE_POS] = d[ABSOLUTE_POS] * slope;
        }
    }

    #[cube]
    fn normal_cdf(x: f32) -> f32 {
        0.5f32 * (1.0f32 + Erf::erf(x * 0.707_106_77f32))
    }

    #[cube]
    fn sigmoid(x: f32) -> f32 {
        1.0 / (1.0 + f32::exp(-x))
    }

    #[cube]
    fn tanh_form(x: f32) -> f32 {
        1.595_769 * x * (1.0 + 0.044_715 * x * x)
    }

    #[cube]
    fn gate(x: f32, v: f32, slope: f32) -> f32 {
        let s = sigmoid(v);
        s * (1.0 + x * (1.0 - s) * slope)
    }
}

impl ActivationOps for CubeBackend {
    fn activate(x: FloatTensor<Self>, kind: Activation) -> FloatTensor<Self> {
        let x = into_contiguous(x);
        let out = empty_like(&x, x.shape());
        let (count, dim) = elementwise(&x, x.shape().num_elements());
        kernels::activate::launch(
            &out.client,
            count,
            dim,
            x.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            kind,
        );
        out
    }

    fn activate_derivative(
        x: FloatTensor<Self>,
        d: FloatTensor<Self>,
        kind: Activation,
    ) -> FloatTensor<Self> {
        let (x, d) = (into_contiguous(x), into_contiguous(d));
        let out = empty_like(&x, x.shape());
        let (count, dim) = elementwise(&x, x.shape().num_elements());
        kernels::derivative::launch(
            &out.client,
            count,
            dim,
            x.into_tensor_arg(),
            d.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            kind,
        );
        out
    }
}

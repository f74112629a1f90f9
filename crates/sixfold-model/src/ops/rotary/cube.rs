//! Rotary positions on CUDA and wgpu.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::RotaryOps;
use crate::ops::cube::{elementwise, empty_like};

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    #[cube(launch)]
    pub(super) fn rotate(
        x: &Tensor<f32>,
        cos: &Tensor<f32>,
        sin: &Tensor<f32>,
        out: &mut Tensor<f32>,
        width: usize,
        d_head: usize,
        sign: f32,
    ) {
        if ABSOLUTE_POS < out.len() {
            let half = cos.shape(1);
            let position = (ABSOLUTE_POS / width) % cos.shape(0);
            let feature = ABSOLUTE_POS % width % d_head;
            let mut value = x[ABSOLUTE_POS];
            if feature < half {
                let at = position * half + feature;
                value = value * cos[at] - x[ABSOLUTE_POS + half] * sin[at] * sign;
            } else if feature < 2 * half {
                let at = position * half + feature - half;
                value = value * cos[at] + x[ABSOLUTE_POS - half] * sin[at] * sign;
            }
            out[ABSOLUTE_POS] = value;
        }
    }
}

impl RotaryOps for CubeBackend {
    fn rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
        inverse: bool,
    ) -> FloatTensor<Self> {
        let n = x.shape().num_elements();
        if n == 0 || cos.shape().num_elements() == 0 {
            return x;
        }
        let (x, cos, sin) = (into_contiguous(x), into_contiguous(cos), into_contiguous(sin));
        let width = x.shape()[x.shape().num_dims() - 1];
        let out = empty_like(&x, x.shape());
        let (count, dim) = elementwise(&x, n);
        kernels::rotate::launch(
            &out.client,
            count,
            dim,
            x.into_tensor_arg(),
            cos.into_tensor_arg(),
            sin.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            width,
            width / heads,
            if inverse { -1.0 } else { 1.0 },
        );
        out
    }
}

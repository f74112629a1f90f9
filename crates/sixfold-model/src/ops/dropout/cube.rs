//! Dropout on CUDA and wgpu.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::{DropoutMask, DropoutOps};
use crate::ops::cube::{elementwise, empty_like};

/// CubeCL's names would shadow burn's.
#[allow(arithmetic_overflow, reason = "products wrap on a GPU, and only there do they run")]
mod kernels {
    use cubecl::prelude::*;

    #[cube(launch)]
    pub(super) fn drop_out(
        x: &Tensor<f32>,
        out: &mut Tensor<f32>,
        seed_0: u32,
        seed_1: u32,
        threshold: u32,
        scale: f32,
    ) {
        if ABSOLUTE_POS < out.len() {
            let place = ABSOLUTE_POS as u32;
            let mut hash = (place * 0x9e37_79b1u32) ^ seed_0;
            hash = (hash ^ (hash >> 16u32)) * 0x85eb_ca6bu32;
            hash = (hash ^ (hash >> 13u32) ^ seed_1) * 0xc2b2_ae35u32;
            hash = hash ^ (hash >> 16u32);
            out[ABSOLUTE_POS] = x[ABSOLUTE_POS] * select(hash < threshold, f32::new(0.0), scale);
        }
    }
}

impl DropoutOps for CubeBackend {
    fn drop_out(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        let n = x.shape().num_elements();
        if n == 0 {
            return x;
        }
        let x = into_contiguous(x);
        let out = empty_like(&x, x.shape());
        let (count, dim) = elementwise(&x, n);
        kernels::drop_out::launch(
            &out.client,
            count,
            dim,
            x.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            mask.seed[0],
            mask.seed[1],
            mask.threshold,
            mask.scale,
        );
        out
    }
}

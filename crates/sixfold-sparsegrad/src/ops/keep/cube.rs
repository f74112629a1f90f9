//! The largest entries of each row on CUDA and wgpu, by bisection over the bits of magnitudes.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use sixfold_model::ops::cube::{empty_like, rows};

use super::KeepOps;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;
    use sixfold_model::ops::cube::kernels::cube_sum;

    /// One cube a row: the k-th largest magnitude is found bit by bit, as magnitudes compare as their bits do.
    #[cube(launch)]
    pub(super) fn largest(g: &Tensor<f32>, out: &mut Tensor<f32>, d: usize, rows: usize, k: f32) {
        if CUBE_POS < rows {
            let start = CUBE_POS * d;
            let first = UNIT_POS as usize;
            let step = CUBE_DIM as usize;
            let mut threshold = 0u32.runtime();
            for bit in 0u32..31u32 {
                let candidate = threshold | (1u32 << (30u32 - bit));
                let mut count = f32::new(0.0);
                let mut i = first;
                while i < d {
                    if u32::reinterpret(g[start + i].abs()) >= candidate {
                        count += 1.0;
                    }
                    i += step;
                }
                if cube_sum(count) >= k {
                    threshold = candidate;
                }
            }
            let mut above = f32::new(0.0);
            let mut i = first;
            while i < d {
                if u32::reinterpret(g[start + i].abs()) > threshold {
                    above += 1.0;
                }
                i += step;
            }
            let equal = k - cube_sum(above);
            let mut i = first;
            while i < d {
                let value = g[start + i];
                let magnitude = u32::reinterpret(value.abs());
                let mut kept = magnitude > threshold;
                if magnitude == threshold {
                    // Of equal ones the first are kept.
                    let mut before = f32::new(0.0);
                    for j in 0..i {
                        if u32::reinterpret(g[start + j].abs()) == threshold {
                            before += 1.0;
                        }
                    }
                    kept = before < equal;
                }
                out[start + i] = select(kept, value, f32::new(0.0));
                i += step;
            }
        }
    }
}

impl KeepOps for CubeBackend {
    fn keep(y: FloatTensor<Self>, _: usize) -> FloatTensor<Self> {
        y
    }

    fn keep_backward(g: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
        let g = into_contiguous(g);
        let out = empty_like(&g, g.shape());
        let [n, d] = [g.shape()[0], g.shape()[1]];
        let (count, dim) = rows(n);
        kernels::largest::launch(
            &out.client,
            count,
            dim,
            g.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            d,
            n,
            k as f32,
        );
        out
    }
}

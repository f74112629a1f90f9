//! Cross-entropy on CUDA and wgpu: one cube a row.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::CrossEntropyOps;
use crate::ops::cube::{elementwise, empty_like, indices, rows};

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    use crate::ops::cube::UNITS;
    use crate::ops::cube::kernels::{cube_max, cube_sum};

    /// The largest value of a row, for all units of the cube.
    #[cube]
    fn largest(x: &Tensor<f32>, start: usize, width: usize) -> f32 {
        // A cube may have more units than the row has values.
        let mut largest = x[start];
        let mut c = UNIT_POS as usize;
        while c < width {
            if x[start + c] > largest {
                largest = x[start + c];
            }
            c += UNITS;
        }
        cube_max(largest)
    }

    #[cube(launch)]
    pub(super) fn forward(
        x: &Tensor<f32>,
        targets: &Tensor<i32>,
        losses: &mut Tensor<f32>,
        statistics: &mut Tensor<f32>,
        smoothing: f32,
        #[comptime] smooth: bool,
    ) {
        let row = CUBE_POS;
        if row < losses.len() {
            let width = x.shape(1);
            let start = row * width;
            let largest = largest(x, start, width);
            let mut total = f32::new(0.0);
            let mut below = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                total += f32::exp(x[start + c] - largest);
                if comptime!(smooth) {
                    below += largest - x[start + c];
                }
                c += UNITS;
            }
            let total = f32::ln(cube_sum(total));
            let at_target = largest - x[start + targets[row] as usize];
            let mut expected = at_target;
            if comptime!(smooth) {
                let mean = cube_sum(below) / width as f32;
                expected = (1.0f32 - smoothing) * at_target + smoothing * mean;
            }
            if UNIT_POS == 0 {
                losses[row] = total + expected;
                statistics[2 * row] = largest;
                statistics[2 * row + 1] = total;
            }
        }
    }

    #[cube(launch)]
    pub(super) fn backward(
        x: &Tensor<f32>,
        targets: &Tensor<i32>,
        statistics: &Tensor<f32>,
        grad: &Tensor<f32>,
        out: &mut Tensor<f32>,
        smoothing: f32,
    ) {
        if ABSOLUTE_POS < out.len() {
            let width = out.shape(1);
            let row = ABSOLUTE_POS / width;
            let p = f32::exp(x[ABSOLUTE_POS] - statistics[2 * row] - statistics[2 * row + 1]);
            let hit = ABSOLUTE_POS - row * width == targets[row] as usize;
            let target = select(hit, 1.0f32 - smoothing, f32::new(0.0));
            out[ABSOLUTE_POS] = (p - smoothing / width as f32 - target) * grad[row];
        }
    }

    #[cube(launch)]
    pub(super) fn tangent(
        x: &Tensor<f32>,
        d: &Tensor<f32>,
        targets: &Tensor<i32>,
        out: &mut Tensor<f32>,
        smoothing: f32,
    ) {
        let row = CUBE_POS;
        if row < out.len() {
            let width = x.shape(1);
            let start = row * width;
            let largest = largest(x, start, width);
            let mut total = f32::new(0.0);
            let mut along = f32::new(0.0);
            let mut plain = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                let e = f32::exp(x[start + c] - largest);
                total += e;
                along += e * d[start + c];
                plain += d[start + c];
                c += UNITS;
            }
            let along = cube_sum(along) / cube_sum(total);
            let mean = cube_sum(plain) / width as f32;
            let at_target = d[start + targets[row] as usize];
            if UNIT_POS == 0 {
                out[row] = along - (1.0f32 - smoothing) * at_target - smoothing * mean;
            }
        }
    }
}

impl CrossEntropyOps for CubeBackend {
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        smoothing: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (logits, targets) = (into_contiguous(logits), indices(targets));
        let n = logits.shape()[0];
        let losses = empty_like(&logits, Shape::new([n]));
        let statistics = empty_like(&logits, Shape::new([n, 2]));
        if logits.shape().num_elements() > 0 {
            let (count, dim) = rows(n);
            kernels::forward::launch(
                &losses.client,
                count,
                dim,
                logits.into_tensor_arg(),
                targets.into_tensor_arg(),
                losses.clone().into_tensor_arg(),
                statistics.clone().into_tensor_arg(),
                smoothing,
                smoothing != 0.0,
            );
        }
        (losses, statistics)
    }

    fn cross_entropy_backward(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        statistics: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        smoothing: f32,
    ) -> FloatTensor<Self> {
        let (logits, targets, grad) =
            (into_contiguous(logits), indices(targets), into_contiguous(grad));
        let out = empty_like(&logits, logits.shape());
        let n = out.shape().num_elements();
        if n > 0 {
            let (count, dim) = elementwise(&logits, n);
            kernels::backward::launch(
                &out.client,
                count,
                dim,
                logits.into_tensor_arg(),
                targets.into_tensor_arg(),
                statistics.into_tensor_arg(),
                grad.into_tensor_arg(),
                out.clone().into_tensor_arg(),
                smoothing,
            );
        }
        out
    }

    fn cross_entropy_tangent(
        logits: FloatTensor<Self>,
        direction: FloatTensor<Self>,
        targets: IntTensor<Self>,
        smoothing: f32,
    ) -> FloatTensor<Self> {
        let (logits, direction) = (into_contiguous(logits), into_contiguous(direction));
        let targets = indices(targets);
        let n = logits.shape()[0];
        let out = empty_like(&logits, Shape::new([n]));
        if logits.shape().num_elements() > 0 {
            let (count, dim) = rows(n);
            kernels::tangent::launch(
                &out.client,
                count,
                dim,
                logits.into_tensor_arg(),
                direction.into_tensor_arg(),
                targets.into_tensor_arg(),
                out.clone().into_tensor_arg(),
                smoothing,
            );
        }
        out
    }
}

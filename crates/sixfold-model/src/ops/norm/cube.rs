//! Norms on CUDA and wgpu: one cube a row.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::NormOps;
use crate::NormKind;
use crate::ops::cube::{elementwise, empty_like, rows};

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    use crate::NormKind;
    use crate::ops::cube::UNITS;
    use crate::ops::cube::kernels::cube_sum;

    /// Σ (x − shift)^power over a row, for all units of the cube.
    #[cube]
    fn power_sum(
        x: &Tensor<f32>,
        start: usize,
        width: usize,
        shift: f32,
        #[comptime] power: u32,
    ) -> f32 {
        let mut sum = f32::new(0.0);
        let mut c = UNIT_POS as usize;
        while c < width {
            let value = x[start + c] - shift;
            if comptime!(power == 2) {
                sum += value * value;
            } else {
                sum += value;
            }
            c += UNITS;
        }
        cube_sum(sum)
    }

    /// The mean of a row, 0 for RMS. Twice: what the first misses by rounding, the second adds.
    #[cube]
    fn mean(x: &Tensor<f32>, start: usize, width: usize, #[comptime] kind: NormKind) -> f32 {
        match comptime!(kind) {
            NormKind::Layer => {
                let first = power_sum(x, start, width, f32::new(0.0), 1u32) / width as f32;
                first + power_sum(x, start, width, first, 1u32) / width as f32
            }
            NormKind::Rms => f32::new(0.0),
        }
    }

    #[cube]
    fn scale(x: &Tensor<f32>, start: usize, width: usize, mean: f32, epsilon: f32) -> f32 {
        let square = power_sum(x, start, width, mean, 2u32) / width as f32;
        1.0f32 / f32::sqrt(square + epsilon)
    }

    #[cube(launch)]
    pub(super) fn norm(
        x: &Tensor<f32>,
        gamma: &Tensor<f32>,
        beta: &Tensor<f32>,
        out: &mut Tensor<f32>,
        epsilon: f32,
        #[comptime] kind: NormKind,
        #[comptime] with_beta: bool,
    ) {
        let width = gamma.len();
        let start = CUBE_POS * width;
        if start < out.len() {
            let mean = mean(x, start, width, kind);
            let scale = scale(x, start, width, mean, epsilon);
            let mut c = UNIT_POS as usize;
            while c < width {
                let value = (x[start + c] - mean) * scale * gamma[c];
                if comptime!(with_beta) {
                    out[start + c] = value + beta[c];
                } else {
                    out[start + c] = value;
                }
                c += UNITS;
            }
        }
    }

    /// `scale·(e − mean(e) − x̂·mean(e·x̂))`, where e is the direction, times γ before for the
    /// gradient or after for the tangent. Also keeps mean and scale of each row.
    #[cube(launch)]
    pub(super) fn derivative(
        x: &Tensor<f32>,
        d: &Tensor<f32>,
        gamma: &Tensor<f32>,
        out: &mut Tensor<f32>,
        statistics: &mut Tensor<f32>,
        epsilon: f32,
        #[comptime] kind: NormKind,
        #[comptime] gain_first: bool,
    ) {
        let width = gamma.len();
        let row = CUBE_POS;
        let start = row * width;
        if start < out.len() {
            let mean = mean(x, start, width, kind);
            let scale = scale(x, start, width, mean, epsilon);
            let mut total = f32::new(0.0);
            let mut along = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                let mut e = d[start + c];
                if comptime!(gain_first) {
                    e *= gamma[c];
                }
                total += e;
                along += e * (x[start + c] - mean) * scale;
                c += UNITS;
            }
            let along = cube_sum(along) / width as f32;
            let total = match comptime!(kind) {
                NormKind::Layer => cube_sum(total) / width as f32,
                NormKind::Rms => f32::new(0.0),
            };
            let mut c = UNIT_POS as usize;
            while c < width {
                let normed = (x[start + c] - mean) * scale;
                if comptime!(gain_first) {
                    out[start + c] = (d[start + c] * gamma[c] - total - normed * along) * scale;
                } else {
                    out[start + c] = (d[start + c] - total - normed * along) * scale * gamma[c];
                }
                c += UNITS;
            }
            if UNIT_POS == 0 {
                statistics[2 * row] = mean;
                statistics[2 * row + 1] = scale;
            }
        }
    }

    /// The gradients of γ and β: one unit a feature, rows in their order.
    #[cube(launch)]
    pub(super) fn features(
        x: &Tensor<f32>,
        grad: &Tensor<f32>,
        statistics: &Tensor<f32>,
        gain: &mut Tensor<f32>,
        offset: &mut Tensor<f32>,
    ) {
        let width = gain.len();
        if ABSOLUTE_POS < width {
            let rows = statistics.len() / 2;
            let mut by_gain = f32::new(0.0);
            let mut by_offset = f32::new(0.0);
            let mut row = 0usize.runtime();
            while row < rows {
                let at = row * width + ABSOLUTE_POS;
                by_gain += grad[at] * (x[at] - statistics[2 * row]) * statistics[2 * row + 1];
                by_offset += grad[at];
                row += 1;
            }
            gain[ABSOLUTE_POS] = by_gain;
            offset[ABSOLUTE_POS] = by_offset;
        }
    }
}

/// The derivative, and `[rows, 2]` means and scales.
fn derivative(
    x: FloatTensor<CubeBackend>,
    d: FloatTensor<CubeBackend>,
    gamma: FloatTensor<CubeBackend>,
    epsilon: f64,
    kind: NormKind,
    gain_first: bool,
) -> (FloatTensor<CubeBackend>, FloatTensor<CubeBackend>) {
    let width = gamma.shape().num_elements();
    let n = x.shape().num_elements() / width.max(1);
    let out = empty_like(&x, x.shape());
    let statistics = empty_like(&x, Shape::new([n, 2]));
    let (count, dim) = rows(n);
    if n > 0 {
        kernels::derivative::launch(
            &out.client,
            count,
            dim,
            x.into_tensor_arg(),
            d.into_tensor_arg(),
            gamma.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            statistics.clone().into_tensor_arg(),
            epsilon as f32,
            kind,
            gain_first,
        );
    }
    (out, statistics)
}

fn norm(
    x: FloatTensor<CubeBackend>,
    gamma: FloatTensor<CubeBackend>,
    beta: Option<FloatTensor<CubeBackend>>,
    epsilon: f64,
    kind: NormKind,
) -> FloatTensor<CubeBackend> {
    let (x, gamma) = (into_contiguous(x), into_contiguous(gamma));
    let out = empty_like(&x, x.shape());
    let n = x.shape().num_elements() / gamma.shape().num_elements().max(1);
    if n == 0 {
        return out;
    }
    let with_beta = beta.is_some();
    let beta = beta.map_or_else(|| gamma.clone(), into_contiguous);
    let (count, dim) = rows(n);
    kernels::norm::launch(
        &out.client,
        count,
        dim,
        x.into_tensor_arg(),
        gamma.into_tensor_arg(),
        beta.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        epsilon as f32,
        kind,
        with_beta,
    );
    out
}

impl NormOps for CubeBackend {
    fn norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> FloatTensor<Self> {
        norm(x, gamma, None, epsilon, kind)
    }

    fn norm_offset(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> FloatTensor<Self> {
        norm(x, gamma, Some(beta), epsilon, kind)
    }

    fn norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, gamma, grad) = (into_contiguous(x), into_contiguous(gamma), into_contiguous(grad));
        let (gain, offset) = (empty_like(&x, gamma.shape()), empty_like(&x, gamma.shape()));
        let width = gamma.shape().num_elements();
        let (out, statistics) = derivative(x.clone(), grad.clone(), gamma, epsilon, kind, true);
        if width > 0 {
            let (count, dim) = elementwise(&x, width);
            kernels::features::launch(
                &gain.client,
                count,
                dim,
                x.into_tensor_arg(),
                grad.into_tensor_arg(),
                statistics.into_tensor_arg(),
                gain.clone().into_tensor_arg(),
                offset.clone().into_tensor_arg(),
            );
        }
        (out, gain, offset)
    }

    fn norm_tangent(
        x: FloatTensor<Self>,
        dx: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f64,
        kind: NormKind,
    ) -> FloatTensor<Self> {
        let (x, dx, gamma) = (into_contiguous(x), into_contiguous(dx), into_contiguous(gamma));
        derivative(x, dx, gamma, epsilon, kind, false).0
    }
}

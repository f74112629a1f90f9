//! Softmax on CUDA and wgpu: one cube a row.

use burn::backend::TensorMetadata;
use burn::backend::ops::BoolTensorOps;
use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::tensor::FloatDType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;

use super::SoftmaxOps;
use crate::ops::cube::{empty_like, rows};

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    use crate::ops::cube::UNITS;
    use crate::ops::cube::kernels::{cube_max, cube_sum};

    /// Where `masked`, places whose `hidden` is not 0 are 0.
    #[cube(launch)]
    pub(super) fn softmax(
        x: &Tensor<f32>,
        hidden: &Tensor<f32>,
        out: &mut Tensor<f32>,
        width: usize,
        #[comptime] masked: bool,
    ) {
        let start = CUBE_POS * width;
        if start < out.len() {
            let mut largest = f32::new(-3.4e38);
            let mut c = UNIT_POS as usize;
            while c < width {
                let mut shown = true.runtime();
                if comptime!(masked) {
                    shown = hidden[start + c] == 0.0f32;
                }
                if shown && x[start + c] > largest {
                    largest = x[start + c];
                }
                c += UNITS;
            }
            let largest = cube_max(largest);
            let mut total = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                let mut shown = true.runtime();
                if comptime!(masked) {
                    shown = hidden[start + c] == 0.0f32;
                }
                if shown {
                    total += f32::exp(x[start + c] - largest);
                }
                c += UNITS;
            }
            let total = cube_sum(total);
            let mut c = UNIT_POS as usize;
            while c < width {
                let mut shown = true.runtime();
                if comptime!(masked) {
                    shown = hidden[start + c] == 0.0f32;
                }
                let mut y = f32::new(0.0);
                if shown {
                    y = f32::exp(x[start + c] - largest) / total;
                }
                out[start + c] = y;
                c += UNITS;
            }
        }
    }

    #[cube(launch)]
    pub(super) fn derivative(
        y: &Tensor<f32>,
        d: &Tensor<f32>,
        out: &mut Tensor<f32>,
        width: usize,
    ) {
        let start = CUBE_POS * width;
        if start < out.len() {
            let mut along = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                along += y[start + c] * d[start + c];
                c += UNITS;
            }
            let along = cube_sum(along);
            let mut c = UNIT_POS as usize;
            while c < width {
                out[start + c] = y[start + c] * (d[start + c] - along);
                c += UNITS;
            }
        }
    }
}

fn softmax(
    x: FloatTensor<CubeBackend>,
    hidden: Option<FloatTensor<CubeBackend>>,
) -> FloatTensor<CubeBackend> {
    let x = into_contiguous(x);
    let out = empty_like(&x, x.shape());
    let width = x.shape()[x.shape().num_dims() - 1];
    if x.shape().num_elements() == 0 {
        return out;
    }
    let masked = hidden.is_some();
    let hidden = hidden.unwrap_or_else(|| x.clone());
    let (count, dim) = rows(x.shape().num_elements() / width);
    kernels::softmax::launch(
        &out.client,
        count,
        dim,
        x.into_tensor_arg(),
        hidden.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        width,
        masked,
    );
    out
}

impl SoftmaxOps for CubeBackend {
    fn softmax_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        softmax(x, None)
    }

    fn masked_softmax_rows(x: FloatTensor<Self>, hidden: BoolTensor<Self>) -> FloatTensor<Self> {
        // Backends store truth values differently; numbers are the same on all.
        let hidden = Self::bool_expand(hidden, x.shape());
        let hidden = into_contiguous(Self::bool_into_float(hidden, FloatDType::F32));
        softmax(x, Some(hidden))
    }

    fn softmax_derivative(y: FloatTensor<Self>, d: FloatTensor<Self>) -> FloatTensor<Self> {
        let (y, d) = (into_contiguous(y), into_contiguous(d));
        let out = empty_like(&y, y.shape());
        let width = y.shape()[y.shape().num_dims() - 1];
        if y.shape().num_elements() == 0 {
            return out;
        }
        let (count, dim) = rows(y.shape().num_elements() / width);
        kernels::derivative::launch(
            &out.client,
            count,
            dim,
            y.into_tensor_arg(),
            d.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            width,
        );
        out
    }
}

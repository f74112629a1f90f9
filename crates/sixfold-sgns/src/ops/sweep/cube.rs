//! The sweep on CUDA and wgpu: a cube of units for a few rows, which meets all contexts tile by tile.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use sixfold_model::ops::cube::{UNITS, empty_like, indices, rows};

use super::SweepOps;

/// Rows of a cube, columns of a tile, and how much of the rank it holds at once. A unit has one entry
/// of the tile; what is shared takes 6 KiB, of the 16 that every WebGPU device has.
const ROWS: usize = UNITS / COLUMNS;
const COLUMNS: usize = 32;
const DEPTH: usize = 32;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    use sixfold_model::ops::cube::UNITS;

    use super::{COLUMNS, DEPTH, ROWS};

    /// σ(x)
    #[cube]
    fn sigmoid(x: f32) -> f32 {
        let e = f32::exp(-f32::abs(x));
        select(x < 0.0f32, e, f32::new(1.0)) / (1.0f32 + e)
    }

    /// log(1 + eˣ), with a series where the logarithm of a number near 1 would lose digits.
    #[cube]
    fn softplus(x: f32) -> f32 {
        let e = f32::exp(-f32::abs(x));
        let series = e * (1.0f32 - e * (0.5f32 - e * (1.0f32 / 3.0f32)));
        let log = select(e < 0.01f32, series, f32::ln(1.0f32 + e));
        log + select(x > 0.0f32, x, f32::new(0.0))
    }

    /// The negative part. Writes all of `values` and `out`.
    #[cube(launch)]
    pub(super) fn negatives(
        a: &Tensor<f32>,
        b: &Tensor<f32>,
        right: &Tensor<f32>,
        row_weights: &Tensor<f32>,
        column_weights: &Tensor<f32>,
        values: &mut Tensor<f32>,
        out: &mut Tensor<f32>,
    ) {
        let n = a.shape(0);
        let d = a.shape(1);
        let m = b.shape(0);
        let r = right.shape(1);
        let first = CUBE_POS * ROWS;
        let unit = UNIT_POS as usize;
        let i = unit / COLUMNS;
        let j = unit % COLUMNS;
        let row = first + i;
        let mut tile = Shared::<[f32]>::new_slice(comptime!(UNITS));
        let mut left = Shared::<[f32]>::new_slice(comptime!(ROWS * DEPTH));
        // A row more than there are, so that units side by side read from different banks.
        let mut across = Shared::<[f32]>::new_slice(comptime!(COLUMNS * (DEPTH + 1)));

        let mut at = unit;
        while at < ROWS * r {
            if first + at / r < n {
                out[first * r + at] = 0.0f32;
            }
            at += UNITS;
        }
        let mut value = f32::new(0.0);
        let mut start = comptime!(0usize).runtime();
        while start < m {
            let mut x = f32::new(0.0);
            let mut depth = comptime!(0usize).runtime();
            while depth < d {
                let mut at = unit;
                while at < ROWS * DEPTH {
                    let (to, k) = (first + at / DEPTH, depth + at % DEPTH);
                    let mut entry = f32::new(0.0);
                    if to < n && k < d {
                        entry = a[to * d + k];
                    }
                    left[at] = entry;
                    at += UNITS;
                }
                let mut at = unit;
                while at < COLUMNS * DEPTH {
                    let (to, k) = (start + at / DEPTH, depth + at % DEPTH);
                    let mut entry = f32::new(0.0);
                    if to < m && k < d {
                        entry = b[to * d + k];
                    }
                    across[at / DEPTH * (DEPTH + 1) + at % DEPTH] = entry;
                    at += UNITS;
                }
                sync_cube();
                for k in 0..DEPTH {
                    x += left[i * DEPTH + k] * across[j * (DEPTH + 1) + k];
                }
                sync_cube();
                depth += DEPTH;
            }
            let mut derivative = f32::new(0.0);
            if row < n && start + j < m {
                let weight = row_weights[row] * column_weights[start + j];
                derivative = -weight * sigmoid(x);
                value -= weight * softplus(x);
            }
            tile[unit] = derivative;
            sync_cube();
            let mut at = unit;
            while at < ROWS * r {
                let of_row = at / r;
                if first + of_row < n {
                    let mut sum = out[first * r + at];
                    for k in 0..COLUMNS {
                        if start + k < m {
                            sum += tile[of_row * COLUMNS + k] * right[(start + k) * r + at % r];
                        }
                    }
                    out[first * r + at] = sum;
                }
                at += UNITS;
            }
            sync_cube();
            start += COLUMNS;
        }
        tile[unit] = value;
        sync_cube();
        if j == 0 && row < n {
            let mut sum = f32::new(0.0);
            for k in 0..COLUMNS {
                sum += tile[unit + k];
            }
            values[row] = sum;
        }
    }

    /// Adds the positive part: a cube a row.
    #[cube(launch)]
    pub(super) fn positives(
        a: &Tensor<f32>,
        b: &Tensor<f32>,
        right: &Tensor<f32>,
        offsets: &Tensor<i32>,
        columns: &Tensor<i32>,
        counts: &Tensor<f32>,
        values: &mut Tensor<f32>,
        out: &mut Tensor<f32>,
    ) {
        let row = CUBE_POS;
        let mut tile = Shared::<[f32]>::new_slice(comptime!(UNITS));
        if row < a.shape(0) {
            let d = a.shape(1);
            let r = right.shape(1);
            let unit = UNIT_POS as usize;
            let end = offsets[row + 1] as usize;
            let mut start = offsets[row] as usize;
            let mut value = f32::new(0.0);
            while start < end {
                let mut derivative = f32::new(0.0);
                if start + unit < end {
                    let column = columns[start + unit] as usize;
                    let mut x = f32::new(0.0);
                    for k in 0..d {
                        x += a[row * d + k] * b[column * d + k];
                    }
                    let count = counts[start + unit];
                    derivative = count * sigmoid(-x);
                    value -= count * softplus(-x);
                }
                tile[unit] = derivative;
                sync_cube();
                let mut c = unit;
                while c < r {
                    let mut sum = out[row * r + c];
                    for k in 0..UNITS {
                        if start + k < end {
                            sum += tile[k] * right[columns[start + k] as usize * r + c];
                        }
                    }
                    out[row * r + c] = sum;
                    c += UNITS;
                }
                sync_cube();
                start += UNITS;
            }
            tile[unit] = value;
            sync_cube();
            if unit == 0 {
                let mut sum = values[row];
                for k in 0..UNITS {
                    sum += tile[k];
                }
                values[row] = sum;
            }
        }
    }
}

impl SweepOps for CubeBackend {
    fn sgns_sweep(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        right: FloatTensor<Self>,
        row_weights: FloatTensor<Self>,
        column_weights: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        columns: IntTensor<Self>,
        counts: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [a, b, right] = [a, b, right].map(into_contiguous);
        let [row_weights, column_weights, counts] =
            [row_weights, column_weights, counts].map(into_contiguous);
        let (offsets, columns) = (indices(offsets), indices(columns));
        let (n, r) = (a.shape()[0], right.shape()[1]);
        let (values, out) = (empty_like(&a, Shape::new([n])), empty_like(&a, Shape::new([n, r])));
        let (count, dim) = rows(n.div_ceil(ROWS));
        kernels::negatives::launch(
            &out.client,
            count,
            dim,
            a.clone().into_tensor_arg(),
            b.clone().into_tensor_arg(),
            right.clone().into_tensor_arg(),
            row_weights.into_tensor_arg(),
            column_weights.into_tensor_arg(),
            values.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
        );
        let (count, dim) = rows(n);
        kernels::positives::launch(
            &out.client,
            count,
            dim,
            a.into_tensor_arg(),
            b.into_tensor_arg(),
            right.into_tensor_arg(),
            offsets.into_tensor_arg(),
            columns.into_tensor_arg(),
            counts.into_tensor_arg(),
            values.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
        );
        (values, out)
    }
}

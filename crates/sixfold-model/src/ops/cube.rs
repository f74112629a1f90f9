//! What the kernels on CUDA and wgpu share: outputs, grids, and sums over one row.

use burn::backend::ops::IntTensorOps;
use burn::backend::tensor::IntTensor;
use burn::tensor::{DType, IntDType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::{CubeCount, CubeDim, calculate_cube_count_elemwise};

/// Units that work on one row: the most that every WebGPU device has. A power of two.
pub const UNITS: usize = 256;

/// Uninitialised memory beside `x`, of its type.
pub fn empty_like(x: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, x.dtype)
}

/// The grid of one unit for each of `n` elements.
pub fn elementwise(x: &CubeTensor, n: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(&x.client, n);
    (calculate_cube_count_elemwise(&x.client, n, dim), dim)
}

/// The grid of one cube for each of `n` rows, and fewer than one row of cubes more: kernels
/// compare `CUBE_POS` with the number of rows.
pub fn rows(n: usize) -> (CubeCount, CubeDim) {
    // WebGPU allows 65535 along each axis.
    let x = n.clamp(1, 32_768);
    (CubeCount::Static(x as u32, n.div_ceil(x) as u32, 1), CubeDim::new_1d(UNITS as u32))
}

/// Indices as kernels take them: contiguous, of 32 bits.
pub fn indices(indices: IntTensor<CubeBackend>) -> IntTensor<CubeBackend> {
    into_contiguous(match indices.dtype {
        DType::I32 => indices,
        _ => CubeBackend::int_cast(indices, IntDType::I32),
    })
}

/// Sums and maxima over the units of a cube; CubeCL's names would shadow burn's.
#[expect(missing_docs, reason = "`cube` makes a module of each function, without any")]
pub mod kernels {
    use cubecl::prelude::*;

    use super::UNITS;

    /// The sum of one value from each unit of the cube, for all of them.
    #[cube]
    pub fn cube_sum(value: f32) -> f32 {
        let mut shared = Shared::<[f32]>::new_slice(comptime!(UNITS));
        let unit = UNIT_POS as usize;
        shared[unit] = value;
        sync_cube();
        let mut stride = comptime!(UNITS / 2).runtime();
        while stride > 0 {
            if unit < stride {
                let other = shared[unit + stride];
                shared[unit] += other;
            }
            stride /= 2;
            sync_cube();
        }
        let result = shared[0];
        // The next reduction may get the same memory.
        sync_cube();
        result
    }

    /// The largest of one value from each unit of the cube, for all of them.
    #[cube]
    pub fn cube_max(value: f32) -> f32 {
        let mut shared = Shared::<[f32]>::new_slice(comptime!(UNITS));
        let unit = UNIT_POS as usize;
        shared[unit] = value;
        sync_cube();
        let mut stride = comptime!(UNITS / 2).runtime();
        while stride > 0 {
            if unit < stride {
                let other = shared[unit + stride];
                if other > shared[unit] {
                    shared[unit] = other;
                }
            }
            stride /= 2;
            sync_cube();
        }
        let result = shared[0];
        // The next reduction may get the same memory.
        sync_cube();
        result
    }
}

//! The largest entries on CUDA and wgpu, by radix: eight rounds of four bits find the k-th magnitude, then every block
//! of the list writes its entries where those of the blocks before it end.

use burn::backend::TensorMetadata;
use burn::backend::ops::IntTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, Shape, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::{CubeCount, CubeDim};
use sixfold_model::ops::cube::{UNITS, rows};

use super::TopKOps;

/// Values of a block: one cube counts and writes them.
const BLOCK: usize = 32 * UNITS;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;
    use sixfold_model::ops::cube::UNITS;

    use super::BLOCK;

    /// How many values of a block have each of the sixteen digits at `shift`, among those that begin as the k-th does.
    #[cube(launch)]
    pub(super) fn count(
        values: &Tensor<f32>,
        state: &Tensor<u32>,
        counts: &mut Tensor<u32>,
        blocks: usize,
        shift: u32,
    ) {
        let block = CUBE_POS;
        if block < blocks {
            let unit = UNIT_POS as usize;
            let mut own = Shared::<[u32]>::new_slice(comptime!(16 * UNITS));
            for digit in 0..16usize {
                own[digit * UNITS + unit] = 0u32;
            }
            let prefix = state[0];
            let end = usize::min((block + 1) * BLOCK, values.len());
            let mut at = block * BLOCK + unit;
            while at < end {
                let bits = u32::reinterpret(values[at].abs());
                // A shift by all 32 bits would be none.
                if (bits >> shift) >> 4u32 == (prefix >> shift) >> 4u32 {
                    let digit = ((bits >> shift) & 15u32) as usize;
                    own[digit * UNITS + unit] += 1u32;
                }
                at += UNITS;
            }
            sync_cube();
            if unit < 16 {
                let mut sum = 0u32.runtime();
                for other in 0..UNITS {
                    sum += own[unit * UNITS + other];
                }
                counts[block * 16 + unit] = sum;
            }
        }
    }

    /// Adds the digit of the k-th magnitude to the state: its bits so far, and how many of those that begin so are
    /// wanted.
    #[cube(launch)]
    pub(super) fn pick(counts: &Tensor<u32>, state: &mut Tensor<u32>, blocks: usize, shift: u32) {
        let unit = UNIT_POS as usize;
        let mut sums = Shared::<[u32]>::new_slice(comptime!(UNITS));
        // Sixteen units a digit.
        let digit = unit / comptime!(UNITS / 16);
        let mut sum = 0u32.runtime();
        let mut block = unit % comptime!(UNITS / 16);
        while block < blocks {
            sum += counts[block * 16 + digit];
            block += comptime!(UNITS / 16);
        }
        sums[unit] = sum;
        sync_cube();
        if unit == 0 {
            let mut wanted = state[1];
            let mut found = false.runtime();
            for rank in 0..16usize {
                let digit = 15 - rank;
                let mut total = 0u32.runtime();
                for lane in 0..comptime!(UNITS / 16) {
                    total += sums[digit * comptime!(UNITS / 16) + lane];
                }
                if !found {
                    if total >= wanted {
                        found = true;
                        state[0] |= (digit as u32) << shift;
                        state[1] = wanted;
                    } else {
                        wanted -= total;
                    }
                }
            }
        }
    }

    /// How many values of each block are above the k-th, and how many are equal to it.
    #[cube(launch)]
    pub(super) fn mark(
        values: &Tensor<f32>,
        state: &Tensor<u32>,
        counts: &mut Tensor<u32>,
        blocks: usize,
    ) {
        let block = CUBE_POS;
        if block < blocks {
            let unit = UNIT_POS as usize;
            let mut above = Shared::<[u32]>::new_slice(comptime!(UNITS));
            let mut equal = Shared::<[u32]>::new_slice(comptime!(UNITS));
            let threshold = state[0];
            let (mut more, mut same) = (0u32.runtime(), 0u32.runtime());
            let end = usize::min((block + 1) * BLOCK, values.len());
            let mut at = block * BLOCK + unit;
            while at < end {
                let bits = u32::reinterpret(values[at].abs());
                if bits > threshold {
                    more += 1u32;
                }
                if bits == threshold {
                    same += 1u32;
                }
                at += UNITS;
            }
            above[unit] = more;
            equal[unit] = same;
            sync_cube();
            if unit == 0 {
                let (mut more, mut same) = (0u32.runtime(), 0u32.runtime());
                for other in 0..UNITS {
                    more += above[other];
                    same += equal[other];
                }
                counts[2 * block] = more;
                counts[2 * block + 1] = same;
            }
        }
    }

    /// Counts of blocks become those of all blocks before them.
    #[cube(launch)]
    pub(super) fn scan(counts: &mut Tensor<u32>, blocks: usize) {
        let unit = UNIT_POS as usize;
        if unit < 2 {
            let mut before = 0u32.runtime();
            for block in 0..blocks {
                let count = counts[2 * block + unit];
                counts[2 * block + unit] = before;
                before += count;
            }
        }
    }

    /// Writes the places of a block, 256 values at a time.
    #[cube(launch)]
    pub(super) fn write(
        values: &Tensor<f32>,
        state: &Tensor<u32>,
        counts: &Tensor<u32>,
        places: &mut Tensor<i32>,
        blocks: usize,
    ) {
        let block = CUBE_POS;
        if block < blocks {
            let unit = UNIT_POS as usize;
            let mut above = Shared::<[u32]>::new_slice(comptime!(UNITS));
            let mut equal = Shared::<[u32]>::new_slice(comptime!(UNITS));
            let threshold = state[0];
            let wanted = state[1];
            let mut above_before = counts[2 * block];
            let mut equal_before = counts[2 * block + 1];
            let end = usize::min((block + 1) * BLOCK, values.len());
            let mut start = block * BLOCK;
            while start < end {
                let at = start + unit;
                let mut bits = 0u32.runtime();
                if at < end {
                    bits = u32::reinterpret(values[at].abs());
                }
                let more = u32::cast_from(at < end && bits > threshold);
                let same = u32::cast_from(at < end && bits == threshold);
                above[unit] = more;
                equal[unit] = same;
                sync_cube();
                let (mut more_before, mut same_before) = (above_before, equal_before);
                let (mut all_more, mut all_same) = (0u32.runtime(), 0u32.runtime());
                for other in 0..UNITS {
                    if other < unit {
                        more_before += above[other];
                        same_before += equal[other];
                    }
                    all_more += above[other];
                    all_same += equal[other];
                }
                let kept_before = more_before + u32::min(same_before, wanted);
                if more == 1u32 || (same == 1u32 && same_before < wanted) {
                    places[kept_before as usize] = at as i32;
                }
                above_before += all_more;
                equal_before += all_same;
                sync_cube();
                start += UNITS;
            }
        }
    }
}

/// Uninitialised words beside `x`.
fn words(x: &CubeTensor, n: usize) -> CubeTensor {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), Shape::new([n]), DType::U32)
}

impl TopKOps for CubeBackend {
    fn top_k(values: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        let values = into_contiguous(values);
        let n = values.shape().num_elements();
        let blocks = n.div_ceil(BLOCK);
        let client = values.client.clone();
        let one = || (CubeCount::Static(1, 1, 1), CubeDim::new_1d(UNITS as u32));
        let state = TensorData::new(vec![0_u32, k as u32], [2]);
        let state = Self::int_from_data(state, &values.device);
        let counts = words(&values, 16 * blocks);
        for round in (0..8).rev() {
            let shift = 4 * round;
            let (count, dim) = rows(blocks);
            kernels::count::launch(
                &client,
                count,
                dim,
                values.clone().into_tensor_arg(),
                state.clone().into_tensor_arg(),
                counts.clone().into_tensor_arg(),
                blocks,
                shift,
            );
            let (count, dim) = one();
            kernels::pick::launch(
                &client,
                count,
                dim,
                counts.clone().into_tensor_arg(),
                state.clone().into_tensor_arg(),
                blocks,
                shift,
            );
        }
        let counts = words(&values, 2 * blocks);
        let (count, dim) = rows(blocks);
        kernels::mark::launch(
            &client,
            count,
            dim,
            values.clone().into_tensor_arg(),
            state.clone().into_tensor_arg(),
            counts.clone().into_tensor_arg(),
            blocks,
        );
        let (count, dim) = one();
        kernels::scan::launch(&client, count, dim, counts.clone().into_tensor_arg(), blocks);
        let places = empty_device_contiguous_dtype(
            client.clone(),
            values.device.clone(),
            Shape::new([k]),
            DType::I32,
        );
        let (count, dim) = rows(blocks);
        kernels::write::launch(
            &client,
            count,
            dim,
            values.into_tensor_arg(),
            state.into_tensor_arg(),
            counts.into_tensor_arg(),
            places.clone().into_tensor_arg(),
            blocks,
        );
        places
    }
}

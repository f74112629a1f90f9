//! Bags on CUDA and wgpu: a unit for each number of a result, which adds in the order of the batch.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use sixfold_model::ops::cube::{elementwise, empty_like};

use super::PoolOps;
use crate::bags::Bags;
use crate::ops::cube::ints;

type Tensor = FloatTensor<CubeBackend>;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;

    /// Σ w·row, or the largest, over the members of each bag.
    #[cube(launch)]
    pub(super) fn pool(
        rows: &Tensor<f32>,
        weights: &Tensor<f32>,
        offsets: &Tensor<i32>,
        of_members: &Tensor<i32>,
        positions: &Tensor<i32>,
        out: &mut Tensor<f32>,
        width: usize,
        #[comptime] largest: bool,
    ) {
        if ABSOLUTE_POS < out.len() {
            let bag = ABSOLUTE_POS / width;
            let start = offsets[bag] as usize;
            let end = offsets[bag + 1] as usize;
            let mut value = f32::new(0.0);
            let mut member = start;
            while member < end {
                let x = rows[of_members[member] as usize * width + ABSOLUTE_POS % width];
                if comptime!(largest) {
                    if member == start || x > value {
                        value = x;
                    }
                } else {
                    value += weights[positions[member] as usize] * x;
                }
                member += 1usize;
            }
            out[ABSOLUTE_POS] = value;
        }
    }

    /// The gradient of rows, from the members of each.
    #[cube(launch)]
    pub(super) fn of_rows(
        weights: &Tensor<f32>,
        grad: &Tensor<f32>,
        positions: &Tensor<i32>,
        of_bags: &Tensor<i32>,
        row_offsets: &Tensor<i32>,
        row_members: &Tensor<i32>,
        out: &mut Tensor<f32>,
        width: usize,
    ) {
        if ABSOLUTE_POS < out.len() {
            let row = ABSOLUTE_POS / width;
            let mut sum = f32::new(0.0);
            let end = row_offsets[row + 1] as usize;
            let mut at = row_offsets[row] as usize;
            while at < end {
                let member = row_members[at] as usize;
                let of_bag = grad[of_bags[member] as usize * width + ABSOLUTE_POS % width];
                sum += weights[positions[member] as usize] * of_bag;
                at += 1usize;
            }
            out[ABSOLUTE_POS] = sum;
        }
    }

    /// The gradient of each member's weight.
    #[cube(launch)]
    pub(super) fn of_weights(
        rows: &Tensor<f32>,
        grad: &Tensor<f32>,
        of_members: &Tensor<i32>,
        of_bags: &Tensor<i32>,
        members: &Tensor<i32>,
        out: &mut Tensor<f32>,
        width: usize,
    ) {
        if ABSOLUTE_POS < out.len() {
            let mut sum = f32::new(0.0);
            // One less for padding, which is no member.
            let member = members[ABSOLUTE_POS];
            if member >= 0 {
                let row = of_members[member as usize] as usize * width;
                let bag = of_bags[member as usize] as usize * width;
                let mut j = comptime!(0usize).runtime();
                while j < width {
                    sum += rows[row + j] * grad[bag + j];
                    j += 1usize;
                }
            }
            out[ABSOLUTE_POS] = sum;
        }
    }

    /// The gradient of rows for that of maxima: a row has it from the bags in which it is the first to be
    /// the largest.
    #[cube(launch)]
    pub(super) fn of_largest(
        rows: &Tensor<f32>,
        grad: &Tensor<f32>,
        offsets: &Tensor<i32>,
        of_members: &Tensor<i32>,
        of_bags: &Tensor<i32>,
        row_offsets: &Tensor<i32>,
        row_members: &Tensor<i32>,
        out: &mut Tensor<f32>,
        width: usize,
    ) {
        if ABSOLUTE_POS < out.len() {
            let row = ABSOLUTE_POS / width;
            let j = ABSOLUTE_POS % width;
            let x = rows[ABSOLUTE_POS];
            let mut sum = f32::new(0.0);
            let end = row_offsets[row + 1] as usize;
            let mut at = row_offsets[row] as usize;
            while at < end {
                let member = row_members[at] as usize;
                let bag = of_bags[member] as usize;
                let last = offsets[bag + 1] as usize;
                let mut other = offsets[bag] as usize;
                let mut mine = f32::new(1.0);
                while other < last {
                    let value = rows[of_members[other] as usize * width + j];
                    if value > x || (other < member && value >= x) {
                        mine = f32::new(0.0);
                    }
                    other += 1usize;
                }
                sum += mine * grad[bag * width + j];
                at += 1usize;
            }
            out[ABSOLUTE_POS] = sum;
        }
    }
}

fn pool(rows: Tensor, weights: Tensor, bags: &Bags, largest: bool) -> Tensor {
    let (rows, weights) = (into_contiguous(rows), into_contiguous(weights));
    let width = rows.shape()[1];
    let [offsets, of_members, positions, _] = bags.lists().map(|list| ints(list, &rows));
    let out = empty_like(&rows, Shape::new([bags.len(), width]));
    let (count, dim) = elementwise(&out, bags.len() * width);
    kernels::pool::launch(
        &out.client,
        count,
        dim,
        rows.into_tensor_arg(),
        weights.into_tensor_arg(),
        offsets.into_tensor_arg(),
        of_members.into_tensor_arg(),
        positions.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        width,
        largest,
    );
    out
}

impl PoolOps for CubeBackend {
    fn bag_sum(rows: Tensor, weights: Tensor, bags: Arc<Bags>) -> Tensor {
        pool(rows, weights, &bags, false)
    }

    fn bag_sum_backward(
        rows: Tensor,
        weights: Tensor,
        grad: Tensor,
        bags: Arc<Bags>,
    ) -> (Tensor, Tensor) {
        let [rows, weights, grad] = [rows, weights, grad].map(into_contiguous);
        let width = rows.shape()[1];
        let mut members = vec![-1; bags.ids()];
        for (member, position) in bags.lists()[2].iter().enumerate() {
            members[*position as usize] = member as i32;
        }
        let members = crate::ops::cube::signed(members, &rows);
        let [_, of_members, positions, of_bags] = bags.lists().map(|list| ints(list, &rows));
        let [row_offsets, row_members] = bags.by_row().map(|list| ints(list, &rows));
        let of_rows = empty_like(&rows, rows.shape());
        let (count, dim) = elementwise(&of_rows, of_rows.shape().num_elements());
        kernels::of_rows::launch(
            &rows.client,
            count,
            dim,
            weights.into_tensor_arg(),
            grad.clone().into_tensor_arg(),
            positions.into_tensor_arg(),
            of_bags.clone().into_tensor_arg(),
            row_offsets.into_tensor_arg(),
            row_members.into_tensor_arg(),
            of_rows.clone().into_tensor_arg(),
            width,
        );
        let of_weights = empty_like(&rows, Shape::new([bags.ids()]));
        let (count, dim) = elementwise(&of_weights, bags.ids());
        kernels::of_weights::launch(
            &of_rows.client,
            count,
            dim,
            rows.into_tensor_arg(),
            grad.into_tensor_arg(),
            of_members.into_tensor_arg(),
            of_bags.into_tensor_arg(),
            members.into_tensor_arg(),
            of_weights.clone().into_tensor_arg(),
            width,
        );
        (of_rows, of_weights)
    }

    fn bag_max(rows: Tensor, bags: Arc<Bags>) -> Tensor {
        // The weights are not read.
        pool(rows.clone(), rows, &bags, true)
    }

    fn bag_max_backward(rows: Tensor, grad: Tensor, bags: Arc<Bags>) -> Tensor {
        let [rows, grad] = [rows, grad].map(into_contiguous);
        let width = rows.shape()[1];
        let [offsets, of_members, _, of_bags] = bags.lists().map(|list| ints(list, &rows));
        let [row_offsets, row_members] = bags.by_row().map(|list| ints(list, &rows));
        let out = empty_like(&rows, rows.shape());
        let (count, dim) = elementwise(&out, out.shape().num_elements());
        kernels::of_largest::launch(
            &out.client,
            count,
            dim,
            rows.into_tensor_arg(),
            grad.into_tensor_arg(),
            offsets.into_tensor_arg(),
            of_members.into_tensor_arg(),
            of_bags.into_tensor_arg(),
            row_offsets.into_tensor_arg(),
            row_members.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            width,
        );
        out
    }
}

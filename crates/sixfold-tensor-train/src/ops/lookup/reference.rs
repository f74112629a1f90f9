//! The look-up made of plain burn operations.

use burn::tensor::{Int, Tensor, TensorData};

use super::levels::{Level, levels};
use crate::TtShape;
use crate::lookup::Plan;

/// See [`lookup`](super::lookup()).
///
/// Slices are gathered by prefix and not by row; where a batch has so many prefixes that gathering takes
/// more memory than the table, the table is built and indexed.
pub fn lookup(cores: &[Tensor<4>], shape: &TtShape, plan: &Plan) -> Tensor<2> {
    let d = shape.d_embed();
    if plan.is_empty() {
        return Tensor::zeros([0, d], (&cores[0].device(), cores[0].dtype()));
    }
    let levels = levels(shape, plan);
    let device = cores[0].device();
    let ints = |values: Vec<i32>| {
        let length = values.len();
        Tensor::<1, Int>::from_data(TensorData::new(values, [length]), &device)
    };
    if gathered(shape, &levels) > shape.padded_vocab() * d {
        let row = |place: &u32| plan.unique().get(*place as usize).map(|id| *id as usize);
        return select(table(cores, shape), plan.inverse().iter().map(row));
    }
    let ring = shape.ranks()[0];
    let last = shape.cores() - 1;
    // [nodes, r_0·J_1⋯J_k, r_k]
    let [_, _, columns, rank] = shape.core(0);
    let slices = cores[0].clone().select(0, ints(levels[0].digits.clone()));
    let mut prefixes = slices.reshape([levels[0].len(), ring * columns, rank]);
    for (k, level) in levels.iter().enumerate().take(last).skip(1) {
        let [_, left, columns, right] = shape.core(k);
        let height = prefixes.dims()[1];
        let slices = cores[k].clone().select(0, ints(level.digits.clone()));
        prefixes = prefixes
            .select(0, ints(level.parents.clone()))
            .matmul(slices.reshape([level.len(), left, columns * right]))
            .reshape([level.len(), height * columns, right]);
    }
    let [_, left, columns, _] = shape.core(last);
    let level = &levels[last];
    // The trace runs over r_0 and r_{d−1} at once.
    let prefixes = prefixes.select(0, ints(level.parents.clone()));
    let height = prefixes.dims()[1] / ring;
    let prefixes = prefixes.reshape([level.len(), ring, height, left]).swap_dims(1, 2).reshape([
        level.len(),
        height,
        ring * left,
    ]);
    let slices = cores[last].clone().select(0, ints(level.digits.clone()));
    let slices = slices.permute([0, 3, 1, 2]).reshape([level.len(), ring * left, columns]);
    let rows = prefixes.matmul(slices).reshape([level.len(), d]);
    let row = |place: &u32| Some(*place as usize).filter(|place| *place < level.len());
    select(rows, plan.inverse().iter().map(row))
}

/// Rows by index; zeros for none.
fn select(rows: Tensor<2>, indices: impl Iterator<Item = Option<usize>>) -> Tensor<2> {
    let [n, d] = rows.dims();
    let indices: Vec<i32> = indices.map(|index| index.unwrap_or(n) as i32).collect();
    let device = rows.device();
    let blank = Tensor::zeros([1, d], (&device, rows.dtype()));
    let rows = if indices.contains(&(n as i32)) { Tensor::cat(vec![rows, blank], 0) } else { rows };
    let length = indices.len();
    rows.select(0, Tensor::<1, Int>::from_data(TensorData::new(indices, [length]), &device))
}

/// Numbers that the look-up by prefixes gathers.
fn gathered(shape: &TtShape, levels: &[Level]) -> usize {
    let mut prefix = shape.ranks()[0];
    let mut sum = 0;
    for (k, level) in levels.iter().enumerate() {
        let [_, left, columns, right] = shape.core(k);
        // The slice of each node, and the prefix that it is multiplied with.
        sum += level.len() * (left * columns * right + if k > 0 { prefix * left } else { 0 });
        prefix *= columns;
    }
    sum
}

/// The whole table with its padding, `[I_1⋯I_d, D]`.
///
/// # Complexity
/// Memory for twice the table and its tape: what every other way of looking rows up avoids.
pub fn table(cores: &[Tensor<4>], shape: &TtShape) -> Tensor<2> {
    let ring = shape.ranks()[0];
    // [r_0, I_1⋯I_k·J_1⋯J_k, r_k], rows and columns of one core side by side
    let matrix = |k: usize| {
        let [rows, left, columns, right] = shape.core(k);
        cores[k].clone().swap_dims(0, 1).reshape([left, rows * columns * right])
    };
    let mut product = matrix(0);
    let mut height = ring;
    for k in 0..shape.cores() {
        let [rows, left, columns, right] = shape.core(k);
        if k > 0 {
            product = product.reshape([height, left]).matmul(matrix(k));
        }
        height *= rows * columns;
        product = product.reshape([height, right]);
    }
    let length = height / ring;
    let traced = product.reshape([ring, length, ring]);
    let mut sum = traced.clone().narrow(0, 0, 1).narrow(2, 0, 1).reshape([length]);
    for a in 1..ring {
        sum = sum + traced.clone().narrow(0, a, 1).narrow(2, a, 1).reshape([length]);
    }
    // (i_1 j_1)⋯(i_d j_d) → (i_1⋯i_d)(j_1⋯j_d): one core at a time moves in front of the columns.
    let mut rows_so_far = 1;
    let mut columns_so_far = 1;
    let mut rest = length;
    let mut table = sum;
    for (rows, columns) in shape.rows().iter().zip(shape.columns()) {
        rest /= rows * columns;
        table = table
            .reshape([rows_so_far, columns_so_far, *rows, columns * rest])
            .swap_dims(1, 2)
            .reshape([length]);
        rows_so_far *= rows;
        columns_so_far *= columns;
    }
    table.reshape([shape.padded_vocab(), shape.d_embed()])
}

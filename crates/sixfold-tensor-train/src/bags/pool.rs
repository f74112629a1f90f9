//! Sums and maxima of the rows of bags.

use rayon::prelude::*;
use sixfold_linalg::simd::{simd, sum_with};

use super::Bags;

/// Numbers of a task.
const NUMBERS: usize = 1 << 14;

/// Σ w·row over the members of each bag, `[bags, D]`; 0 for an empty one.
///
/// # Shapes
/// `rows`: `[rows, D]`, `weights`: one for each id of the batch
///
/// # Panics
/// If there are more or fewer.
///
/// # Complexity
/// 2·members·D operations; the members of a bag are added in order.
pub fn sum(rows: &[f32], d: usize, bags: &Bags, weights: &[f32]) -> Vec<f32> {
    check(rows, d, bags);
    assert_eq!(weights.len(), bags.ids(), "a weight for each id");
    let [_, _, positions, _] = bags.lists();
    each(
        bags.len(),
        d,
        #[inline(always)]
        |bag, sum| {
            for (row, position) in bags.members(bag).iter().zip(&positions[bags.range(bag)]) {
                let weight = weights[*position as usize];
                for (sum, x) in sum.iter_mut().zip(&rows[*row as usize * d..][..d]) {
                    *sum = weight.mul_add(*x, *sum);
                }
            }
        },
    )
}

/// The gradients of rows, `[rows, D]`, and weights, `[ids]`, for that of the sums, `[bags, D]`.
///
/// # Panics
/// As [`sum`], and if `grad` is no `[bags, D]`.
pub fn sum_backward(
    rows: &[f32],
    d: usize,
    bags: &Bags,
    weights: &[f32],
    grad: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    check(rows, d, bags);
    assert_eq!(grad.len(), bags.len() * d, "a gradient for each bag");
    let [_, of_members, positions, of_bags] = bags.lists();
    let of_rows = each(
        bags.rows(),
        d,
        #[inline(always)]
        |row, sum| {
            for member in members(bags, row) {
                let weight = weights[positions[*member as usize] as usize];
                let grad = &grad[of_bags[*member as usize] as usize * d..][..d];
                for (sum, grad) in sum.iter_mut().zip(grad) {
                    *sum = weight.mul_add(*grad, *sum);
                }
            }
        },
    );
    let mut of_weights = vec![0.0; bags.ids()];
    simd(
        #[inline(always)]
        || {
            for ((row, position), bag) in of_members.iter().zip(positions).zip(of_bags) {
                let row = &rows[*row as usize * d..][..d];
                let grad = &grad[*bag as usize * d..][..d];
                of_weights[*position as usize] = sum_with(
                    row,
                    grad,
                    #[inline(always)]
                    |x, g| x * g,
                );
            }
        },
    );
    (of_rows, of_weights)
}

/// The largest of each column over the members of each bag, `[bags, D]`; 0 for an empty one.
///
/// # Panics
/// If rows are not as many as the bags'.
pub fn max(rows: &[f32], d: usize, bags: &Bags) -> Vec<f32> {
    check(rows, d, bags);
    each(
        bags.len(),
        d,
        #[inline(always)]
        |bag, largest| {
            let Some((first, others)) = bags.members(bag).split_first() else { return };
            largest.copy_from_slice(&rows[*first as usize * d..][..d]);
            for row in others {
                for (largest, x) in largest.iter_mut().zip(&rows[*row as usize * d..][..d]) {
                    *largest = if *x > *largest { *x } else { *largest };
                }
            }
        },
    )
}

/// The gradient of rows for that of the maxima: it goes to the first member that has each of them.
///
/// # Panics
/// As [`max`], and if `grad` is no `[bags, D]`.
pub fn max_backward(rows: &[f32], d: usize, bags: &Bags, grad: &[f32]) -> Vec<f32> {
    check(rows, d, bags);
    assert_eq!(grad.len(), bags.len() * d, "a gradient for each bag");
    let mut of_rows = vec![0.0; rows.len()];
    for (bag, grad) in grad.chunks_exact(d).enumerate() {
        let members = bags.members(bag);
        for (j, grad) in grad.iter().enumerate() {
            let mut first: Option<(u32, f32)> = None;
            for row in members {
                let x = rows[*row as usize * d + j];
                if first.is_none_or(|(_, largest)| x > largest) {
                    first = Some((*row, x));
                }
            }
            if let Some((row, _)) = first {
                of_rows[row as usize * d + j] += grad;
            }
        }
    }
    of_rows
}

/// The members of a row.
fn members(bags: &Bags, row: usize) -> &[u32] {
    let [offsets, members] = bags.by_row();
    &members[offsets[row] as usize..offsets[row + 1] as usize]
}

/// `n` vectors of length d that `f` fills, zeros before.
fn each(n: usize, d: usize, f: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut values = vec![0.0; n * d];
    let height = NUMBERS.div_ceil(d);
    values.par_chunks_mut(height * d).enumerate().for_each(|(task, values)| {
        simd(
            #[inline(always)]
            || {
                for (i, values) in values.chunks_exact_mut(d).enumerate() {
                    f(task * height + i, values);
                }
            },
        );
    });
    values
}

fn check(rows: &[f32], d: usize, bags: &Bags) {
    assert_eq!(rows.len(), bags.rows() * d, "the rows of the bags' different ids");
}

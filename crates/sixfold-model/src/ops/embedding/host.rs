//! The look-up on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use rayon::prelude::*;

use super::EmbeddingOps;
use crate::ops::host::{HostBackend, checked_indices, filled, simd};

/// Tokens of one task in the backward pass, at least.
const TOKENS: usize = 64;

fn forward<B: HostBackend>(table: FloatTensor<B>, ids: IntTensor<B>) -> FloatTensor<B> {
    let [rows, d] = table.shape().dims();
    let [batch, seq] = ids.shape().dims();
    let ids = checked_indices::<B>(ids, rows, ["id", "token", "rows"]);
    let table = B::read(table);
    let values = filled(ids.len() * d, d, |start, row| {
        row.write_copy_of_slice(&table[ids[start / d] * d..][..d])
    });
    B::make(values, Shape::new([batch, seq, d]))
}

fn backward<B: HostBackend>(
    grad: FloatTensor<B>,
    ids: IntTensor<B>,
    rows: usize,
) -> FloatTensor<B> {
    let d = grad.shape()[2];
    let grad = B::read(grad);
    let ids = B::indices(ids);
    // Tokens by row, and by their order within it: each row is summed by one thread in one order.
    let mut tokens: Vec<usize> = (0..ids.len()).collect();
    tokens.sort_unstable_by_key(|&token| (ids[token], token));
    // Cleared by the system page by page, when it is first touched.
    let mut table = vec![0.0; rows * d];
    tasks(&mut table, &tokens, &ids, d).into_par_iter().for_each(|task| {
        simd(
            #[inline(always)]
            || {
                for &token in task.tokens {
                    let row = &mut task.table[(ids[token] - task.first) * d..][..d];
                    for (sum, grad) in row.iter_mut().zip(&grad[token * d..][..d]) {
                        *sum += grad;
                    }
                }
            },
        );
    });
    B::make(table, Shape::new([rows, d]))
}

/// Some rows of the table, and the tokens that add to them.
struct Task<'a> {
    table: &'a mut [f32],
    /// The row that `table` begins with.
    first: usize,
    tokens: &'a [usize],
}

/// Splits the table between rows into tasks of about [`TOKENS`] tokens.
fn tasks<'a>(
    mut table: &'a mut [f32],
    mut tokens: &'a [usize],
    ids: &[usize],
    d: usize,
) -> Vec<Task<'a>> {
    let mut tasks = Vec::with_capacity(tokens.len().div_ceil(TOKENS));
    let mut first = 0;
    while let Some(&last) = tokens.get(TOKENS - 1).or(tokens.last()) {
        let end = ids[last] + 1;
        let of_task = tokens.partition_point(|&token| ids[token] < end);
        let (rows, rest) = std::mem::take(&mut table).split_at_mut((end - first) * d);
        let (these, others) = tokens.split_at(of_task);
        tasks.push(Task { table: rows, first, tokens: these });
        (table, tokens, first) = (rest, others, end);
    }
    tasks
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl EmbeddingOps for $backend {
            fn rows_of(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
                forward::<Self>(table, ids)
            }

            fn rows_of_backward(
                grad: FloatTensor<Self>,
                ids: IntTensor<Self>,
                rows: usize,
            ) -> FloatTensor<Self> {
                backward::<Self>(grad, ids, rows)
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(burn_flex::Flex);

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "the second CPU backend")]
mod second {
    use super::*;
    implement!(burn_ndarray::NdArray);
}

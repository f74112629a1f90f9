//! Dot products over tokens, on blocks of them that lie transposed.

use ndarray::{ArrayView2, Axis, s};
use rayon::prelude::*;
use sixfold_linalg::simd::{simd, sum_with};

/// Tokens of a block: enough to hide the sum over lanes, few enough that the columns that are used stay in the
/// second-level cache.
const TOKENS: usize = 256;

/// Tokens that are transposed together: a cache line of the result.
const LINE: usize = 16;

/// Features that one task transposes.
const FEATURES: usize = 256;

/// Entries of one task.
const ENTRIES: usize = 1024;

/// Σ x[t, row]·dy[t, column] over all tokens t, for each entry of `[rows, columns]`.
///
/// Each sum is formed by one thread, block by block, so that threads change no bit.
pub(super) fn dots(x: ArrayView2<'_, f32>, dy: ArrayView2<'_, f32>, indices: &[u32]) -> Vec<f32> {
    let (tokens, columns) = dy.dim();
    let mut found = vec![0.0; indices.len()];
    let width = TOKENS.min(tokens).next_multiple_of(LINE);
    let mut left = vec![0.0; x.ncols() * width];
    let mut right = vec![0.0; columns * width];
    for from in (0..tokens).step_by(TOKENS) {
        let block = s![from..tokens.min(from + TOKENS), ..];
        transpose(x.slice(block), &mut left, width);
        transpose(dy.slice(block), &mut right, width);
        let (left, right) = (&left, &right);
        let tasks = found.par_chunks_mut(ENTRIES).zip(indices.par_chunks(ENTRIES));
        tasks.for_each(|(found, indices)| {
            simd(
                #[inline(always)]
                || {
                    for (sum, index) in found.iter_mut().zip(indices) {
                        let (row, column) = (*index as usize / columns, *index as usize % columns);
                        let x = &left[row * width..][..width];
                        let dy = &right[column * width..][..width];
                        *sum += sum_with(
                            x,
                            dy,
                            #[inline(always)]
                            |x, dy| x * dy,
                        );
                    }
                },
            );
        });
    }
    found
}

/// `[tokens, features]` into rows of `width` numbers, one a feature, the last of them 0.
fn transpose(block: ArrayView2<'_, f32>, into: &mut [f32], width: usize) {
    let tokens = block.nrows();
    let strips: Vec<_> = block.axis_chunks_iter(Axis(1), FEATURES).collect();
    into.par_chunks_mut(FEATURES * width).zip(strips).for_each(|(into, strip)| {
        for from in (0..width).step_by(LINE) {
            let lines: [_; LINE] = std::array::from_fn(|i| {
                let token = from + i;
                (token < tokens).then(|| strip.row(token))
            });
            let slices =
                lines.each_ref().map(|line| line.as_ref().and_then(|line| line.as_slice()));
            if slices.iter().all(Option::is_some) {
                let slices = slices.map(Option::unwrap_or_default);
                for (feature, into) in into.chunks_exact_mut(width).enumerate() {
                    for (to, line) in into[from..from + LINE].iter_mut().zip(&slices) {
                        *to = line[feature];
                    }
                }
                continue;
            }
            for (feature, into) in into.chunks_exact_mut(width).enumerate() {
                for (to, line) in into[from..from + LINE].iter_mut().zip(&lines) {
                    *to = line.as_ref().map_or(0.0, |line| line[feature]);
                }
            }
        }
    });
}

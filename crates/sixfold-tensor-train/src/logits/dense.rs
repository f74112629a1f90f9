//! All logits.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::blocks::{Block, Method, blocks, parts};
use super::hidden::{Hidden, Scratch, Sums, chunks, matrix, sized};
use crate::TtShape;
use crate::lookup::backward::{added, finished};
use crate::lookup::packed::Packed;

/// h·Wᵀ: the product of each hidden state with each row of the vocabulary, `[n, V]`.
///
/// # Shapes
/// `hidden`: `[n, D]`
///
/// # Panics
/// If the cores are not those of the shape, or hidden states are not as long as its rows.
///
/// # Complexity
/// That of the [`Method`]; blocks of 1024 rows beside the result.
pub fn logits(shape: &TtShape, cores: &[f32], hidden: &[f32], method: Method) -> Vec<f32> {
    let (n, vocab) = (matrix(shape, hidden).nrows(), shape.vocab_size());
    let mut values = vec![0.0; n * vocab];
    let all = ArrayViewMut2::from_shape((n, vocab), &mut values).expect("n·V values");
    logits_into(shape, cores, hidden, method, all);
    values
}

/// As [`logits`], into a matrix that is used again.
///
/// # Panics
/// As [`logits`], and if `all` is no `[n, V]`.
pub fn logits_into(
    shape: &TtShape,
    cores: &[f32],
    hidden: &[f32],
    method: Method,
    mut all: ArrayViewMut2<'_, f32>,
) {
    let cores = Packed::new(shape, cores);
    let hidden = matrix(shape, hidden);
    assert_eq!(all.dim(), (hidden.nrows(), shape.vocab_size()), "a matrix [n, V]");
    let blocks = blocks(shape);
    for (range, hidden) in chunks(hidden) {
        let mut rest = all.slice_mut(s![range, ..]);
        let hidden = Hidden::new(method, &cores, hidden);
        let mut tasks = Vec::with_capacity(blocks.len());
        for block in &blocks {
            let (columns, others) = rest.split_at(Axis(1), block.rows.len());
            tasks.push((block, columns));
            rest = others;
        }
        tasks.into_par_iter().for_each_init(Scratch::default, |scratch, (block, columns)| {
            hidden.logits(block, scratch, columns);
        });
    }
}

/// The gradients of hidden states, `[n, D]`, and cores for that of the logits, `[n, V]`.
///
/// # Panics
/// As [`logits`], and if `grad` is no `[n, V]`.
///
/// # Complexity
/// Three times the operations of [`logits`]; a gradient of hidden states and cores for each of 8 parts.
pub fn logits_backward(
    shape: &TtShape,
    cores: &[f32],
    hidden: &[f32],
    grad: &[f32],
    method: Method,
) -> (Vec<f32>, Vec<f32>) {
    let n = matrix(shape, hidden).nrows();
    let grad = ArrayView2::from_shape((n, shape.vocab_size()), grad).expect("a gradient [n, V]");
    backward(shape, cores, hidden, method, |range, block, logits| {
        logits.assign(&grad.slice(s![range.clone(), block.rows.clone()]));
    })
}

/// Gradients for derivatives of logits that `f` writes in their place: it gets which hidden states, which
/// block, and its logits.
pub(super) fn backward(
    shape: &TtShape,
    cores: &[f32],
    hidden: &[f32],
    method: Method,
    f: impl Fn(&Range<usize>, &Block, &mut ArrayViewMut2<'_, f32>) + Sync,
) -> (Vec<f32>, Vec<f32>) {
    let cores = Packed::new(shape, cores);
    let blocks = blocks(shape);
    let parts: Vec<_> = parts(&blocks).collect();
    let mut of_hidden = Vec::with_capacity(hidden.len());
    let mut of_cores = vec![vec![0.0; shape.parameters()]];
    for (range, hidden) in chunks(matrix(shape, hidden)) {
        let hidden = Hidden::new(method, &cores, hidden);
        let of_part = |part: &&[Block]| {
            let mut sums = hidden.sums(&cores);
            let (mut scratch, mut logits) = (Scratch::default(), Vec::new());
            for block in *part {
                let shape = (range.len(), block.rows.len());
                let logits = sized(&mut logits, shape.0 * shape.1);
                let mut logits = ArrayViewMut2::from_shape(shape, logits).expect("n·rows values");
                hidden.logits(block, &mut scratch, logits.view_mut());
                f(&range, block, &mut logits);
                hidden.backward(block, &mut scratch, logits.view(), &mut sums);
            }
            let Sums { hidden, cores } = sums;
            (hidden, cores.into_gradient())
        };
        let found: Vec<_> = parts.par_iter().map(of_part).collect();
        let mut sum = None;
        for (hidden, cores) in found {
            of_cores.push(cores);
            sum = Some(match sum {
                None => hidden,
                Some(sum) => sum + hidden,
            });
        }
        of_cores = vec![added(of_cores)];
        of_hidden.extend(sum.into_iter().flat_map(|sum| hidden.finish(sum)));
    }
    (of_hidden, finished(shape, added(of_cores)))
}

//! The cross-entropy of a tied head, without its logits.

use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;
use sixfold_linalg::simd::{exp, max, simd, sum};

use super::blocks::{Block, Method, blocks};
use super::dense::backward;
use super::hidden::{Hidden, Scratch, chunks, matrix, sized};
use crate::TtShape;
use crate::lookup::packed::Packed;

/// The loss of each hidden state, and what its backward pass needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropy {
    /// log Σ_v exp(h·w_v) − h·w_t, `[n]`.
    pub losses: Vec<f32>,
    /// log Σ_v exp(h·w_v), `[n]`.
    pub log_sums: Vec<f32>,
}

/// What one block knows of a softmax.
#[derive(Clone, Copy)]
struct Partial {
    largest: f32,
    /// Σ exp(x − largest)
    sum: f32,
    /// The target's logit, where it stands in the block.
    target: Option<f32>,
}

/// The cross-entropy of the softmax over the V rows of the vocabulary.
///
/// # Shapes
/// `hidden`: `[n, D]`, `targets`: `[n]`
///
/// # Panics
/// As [`logits`](super::logits()), and if a target is no row.
///
/// # Complexity
/// The operations of [`logits`](super::logits()); memory for a block of 1024 rows a thread.
pub fn cross_entropy(
    shape: &TtShape,
    cores: &[f32],
    hidden: &[f32],
    targets: &[u32],
    method: Method,
) -> CrossEntropy {
    let cores = Packed::new(shape, cores);
    let hidden = matrix(shape, hidden);
    check(shape, hidden, targets);
    let blocks = blocks(shape);
    let n = hidden.nrows();
    let (mut losses, mut log_sums) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (range, hidden) in chunks(hidden) {
        let targets = &targets[range.clone()];
        let hidden = Hidden::new(method, &cores, hidden);
        let of_block = |(scratch, logits): &mut (Scratch, Vec<f32>), block: &Block| {
            let width = block.rows.len();
            let logits = sized(logits, targets.len() * width);
            let view = ArrayViewMut2::from_shape((targets.len(), width), &mut *logits);
            hidden.logits(block, scratch, view.expect("n·rows values"));
            partials(block, logits, targets)
        };
        let found: Vec<_> = blocks.par_iter().map_init(Default::default, of_block).collect();
        for i in 0..targets.len() {
            let of_state = || found.iter().map(|partials| partials[i]);
            let largest = of_state().map(|p| p.largest).fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 =
                of_state().map(|p| f64::from(p.sum) * f64::from(p.largest - largest).exp()).sum();
            let target = of_state().find_map(|p| p.target).expect("targets are rows");
            let log_sum = f64::from(largest) + sum.ln();
            losses.push((log_sum - f64::from(target)) as f32);
            log_sums.push(log_sum as f32);
        }
    }
    CrossEntropy { losses, log_sums }
}

/// What a block's logits, `[n, rows]`, add to each softmax.
fn partials(block: &Block, logits: &[f32], targets: &[u32]) -> Vec<Partial> {
    let mut partials = Vec::with_capacity(targets.len());
    // A loop: closures of iterators would be compiled apart, without the instructions that `simd` allows.
    simd(
        #[inline(always)]
        || {
            for (logits, target) in logits.chunks_exact(block.rows.len()).zip(targets) {
                let largest = max(logits);
                let sum = sum(
                    logits,
                    #[inline(always)]
                    |x| exp(x - largest),
                );
                let target = (*target as usize).checked_sub(block.rows.start);
                let target = target.and_then(|at| logits.get(at).copied());
                partials.push(Partial { largest, sum, target });
            }
        },
    );
    partials
}

/// The gradients of hidden states, `[n, D]`, and cores for that of the losses, `[n]`.
///
/// # Panics
/// As [`cross_entropy`], and if there is not one of each for each state.
///
/// # Complexity
/// Three times the operations of [`cross_entropy`].
pub fn cross_entropy_backward(
    shape: &TtShape,
    cores: &[f32],
    hidden: &[f32],
    targets: &[u32],
    log_sums: &[f32],
    grad: &[f32],
    method: Method,
) -> (Vec<f32>, Vec<f32>) {
    check(shape, matrix(shape, hidden), targets);
    assert_eq!([log_sums.len(), grad.len()], [targets.len(); 2], "one of each for each state");
    backward(shape, cores, hidden, method, |range, block, logits| {
        let of_states = range.clone().zip(logits.rows_mut());
        for (i, mut logits) in of_states {
            let logits = logits.as_slice_mut().expect("a row lies together");
            let (grad, log_sum) = (grad[i], log_sums[i]);
            simd(
                #[inline(always)]
                || {
                    for x in logits.iter_mut() {
                        *x = grad * exp(*x - log_sum);
                    }
                },
            );
            let target = (targets[i] as usize).checked_sub(block.rows.start);
            if let Some(x) = target.and_then(|at| logits.get_mut(at)) {
                *x -= grad;
            }
        }
    })
}

fn check(shape: &TtShape, hidden: ArrayView2<'_, f32>, targets: &[u32]) {
    assert_eq!(hidden.nrows(), targets.len(), "a target for each hidden state");
    for (i, target) in targets.iter().enumerate() {
        let vocab = shape.vocab_size();
        assert!(
            (*target as usize) < vocab,
            "target {target} of state {i} is not one of {vocab} rows"
        );
    }
}

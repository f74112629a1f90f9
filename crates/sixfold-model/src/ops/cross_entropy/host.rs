//! Cross-entropy on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use rayon::prelude::*;

use super::CrossEntropyOps;
use crate::ops::host::{
    CHUNK, HostBackend, checked_indices, exp, max, rows_with, simd, sum, sum_with,
};

/// Targets, checked.
fn read_targets<B: HostBackend>(targets: IntTensor<B>, classes: usize) -> Vec<usize> {
    checked_indices::<B>(targets, classes, ["target", "row", "classes"])
}

/// The mean of a row's `f(x)` under the smoothed target.
#[inline(always)]
fn expected(x: &[f32], target: usize, smoothing: f32, f: impl Fn(f32) -> f32) -> f32 {
    // Without smoothing an infinite logit elsewhere must not count.
    if smoothing == 0.0 {
        return f(x[target]);
    }
    (1.0 - smoothing) * f(x[target]) + smoothing * sum(x, f) / x.len() as f32
}

/// Rows for one task.
fn rows_per_task(classes: usize) -> usize {
    (CHUNK / classes.max(1)).max(1)
}

fn forward<B: HostBackend>(
    logits: FloatTensor<B>,
    targets: IntTensor<B>,
    smoothing: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let [n, classes] = logits.shape().dims();
    let targets = read_targets::<B>(targets, classes);
    let logits = B::read(logits);
    let mut losses = vec![0.0; n];
    let mut statistics = vec![0.0; 2 * n];
    losses
        .par_iter_mut()
        .zip(statistics.par_chunks_exact_mut(2))
        .zip(logits.par_chunks_exact(classes.max(1)))
        .zip(&targets)
        .with_min_len(rows_per_task(classes))
        .for_each(|(((loss, statistics), x), target)| {
            simd(
                #[inline(always)]
                || {
                    let largest = max(x);
                    let total = sum(
                        x,
                        #[inline(always)]
                        |x| exp(x - largest),
                    )
                    .ln();
                    let below = expected(
                        x,
                        *target,
                        smoothing,
                        #[inline(always)]
                        |x| largest - x,
                    );
                    *loss = total + below;
                    statistics.copy_from_slice(&[largest, total]);
                },
            );
        });
    (B::make(losses, Shape::new([n])), B::make(statistics, Shape::new([n, 2])))
}

fn backward<B: HostBackend>(
    logits: FloatTensor<B>,
    targets: IntTensor<B>,
    statistics: FloatTensor<B>,
    grad: FloatTensor<B>,
    smoothing: f32,
) -> FloatTensor<B> {
    let classes = logits.shape()[1];
    let targets = B::indices(targets);
    let (statistics, grad) = (B::read(statistics), B::read(grad));
    let spread = smoothing / classes as f32;
    rows_with::<B>(
        logits,
        classes,
        #[inline(always)]
        |i, row| {
            let (largest, total, grad) = (statistics[2 * i], statistics[2 * i + 1], grad[i]);
            for x in row.iter_mut() {
                *x = (exp(*x - largest - total) - spread) * grad;
            }
            row[targets[i]] -= (1.0 - smoothing) * grad;
        },
    )
}

fn tangent<B: HostBackend>(
    logits: FloatTensor<B>,
    direction: FloatTensor<B>,
    targets: IntTensor<B>,
    smoothing: f32,
) -> FloatTensor<B> {
    let [n, classes] = logits.shape().dims();
    let targets = read_targets::<B>(targets, classes);
    let (logits, direction) = (B::read(logits), B::read(direction));
    let mut out = vec![0.0; n];
    out.par_iter_mut()
        .zip(logits.par_chunks_exact(classes.max(1)))
        .zip(direction.par_chunks_exact(classes.max(1)))
        .zip(&targets)
        .with_min_len(rows_per_task(classes))
        .for_each(|(((out, x), d), target)| {
            simd(
                #[inline(always)]
                || {
                    let largest = max(x);
                    let total = sum(
                        x,
                        #[inline(always)]
                        |x| exp(x - largest),
                    );
                    let along = sum_with(
                        x,
                        d,
                        #[inline(always)]
                        |x, d| exp(x - largest) * d,
                    );
                    let target = expected(
                        d,
                        *target,
                        smoothing,
                        #[inline(always)]
                        |d| d,
                    );
                    *out = along / total - target;
                },
            );
        });
    B::make(out, Shape::new([n]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl CrossEntropyOps for $backend {
            fn cross_entropy(
                logits: FloatTensor<Self>,
                targets: IntTensor<Self>,
                smoothing: f32,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                forward::<Self>(logits, targets, smoothing)
            }

            fn cross_entropy_backward(
                logits: FloatTensor<Self>,
                targets: IntTensor<Self>,
                statistics: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                smoothing: f32,
            ) -> FloatTensor<Self> {
                backward::<Self>(logits, targets, statistics, grad, smoothing)
            }

            fn cross_entropy_tangent(
                logits: FloatTensor<Self>,
                direction: FloatTensor<Self>,
                targets: IntTensor<Self>,
                smoothing: f32,
            ) -> FloatTensor<Self> {
                tangent::<Self>(logits, direction, targets, smoothing)
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

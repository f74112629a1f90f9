//! Norms on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use rayon::prelude::*;

use super::NormOps;
use crate::NormKind;
use crate::ops::host::{CHUNK, HostBackend, owned, rows, rows_with, simd, sum, sum_with};

/// What a row is normed by: `x̂ = ((x − shift) − rest)·scale`.
///
/// The mean is kept in two parts: for a row far from 0, its last place would be as large as the
/// differences between the features.
struct Statistics {
    shift: f32,
    rest: f32,
    scale: f32,
}

impl Statistics {
    #[inline(always)]
    fn new(x: &[f32], epsilon: f32, kind: NormKind) -> Self {
        let per = 1.0 / x.len() as f32;
        if kind == NormKind::Rms {
            let square = sum(
                x,
                #[inline(always)]
                |x| x * x,
            ) * per;
            return Self { shift: 0.0, rest: 0.0, scale: 1.0 / (square + epsilon).sqrt() };
        }
        let shift = sum(
            x,
            #[inline(always)]
            |x| x,
        ) * per;
        let rest = sum(
            x,
            #[inline(always)]
            |x| x - shift,
        ) * per;
        let variance = sum(
            x,
            #[inline(always)]
            |x| (x - shift - rest) * (x - shift - rest),
        ) * per;
        Self { shift, rest, scale: 1.0 / (variance + epsilon).sqrt() }
    }

    #[inline(always)]
    fn normed(&self, x: f32) -> f32 {
        (x - self.shift - self.rest) * self.scale
    }

    /// Turns a direction into that of x̂: `scale·(d − mean(d) − x̂·mean(d·x̂))`, without the
    /// first mean for RMS. The map is symmetric: it serves tangents and gradients.
    #[inline(always)]
    fn derivative(&self, x: &[f32], d: &mut [f32], kind: NormKind) {
        let per = 1.0 / x.len() as f32;
        let mean = match kind {
            NormKind::Layer => {
                sum(
                    d,
                    #[inline(always)]
                    |d| d,
                ) * per
            }
            NormKind::Rms => 0.0,
        };
        let along = sum_with(
            d,
            x,
            #[inline(always)]
            |d, x| d * self.normed(x),
        ) * per;
        for (d, x) in d.iter_mut().zip(x) {
            *d = (*d - mean - self.normed(*x) * along) * self.scale;
        }
    }
}

fn norm<B: HostBackend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: Option<FloatTensor<B>>,
    epsilon: f32,
    kind: NormKind,
) -> FloatTensor<B> {
    let gamma = B::read(gamma);
    let beta = beta.map(B::read);
    rows::<B>(
        x,
        gamma.len(),
        #[inline(always)]
        |row| {
            let by = Statistics::new(row, epsilon, kind);
            match &beta {
                Some(beta) => {
                    for ((x, gamma), beta) in row.iter_mut().zip(gamma.iter()).zip(beta.iter()) {
                        *x = by.normed(*x).mul_add(*gamma, *beta);
                    }
                }
                None => {
                    for (x, gamma) in row.iter_mut().zip(gamma.iter()) {
                        *x = by.normed(*x) * gamma;
                    }
                }
            }
        },
    )
}

fn tangent<B: HostBackend>(
    x: FloatTensor<B>,
    dx: FloatTensor<B>,
    gamma: FloatTensor<B>,
    epsilon: f32,
    kind: NormKind,
) -> FloatTensor<B> {
    let (x, gamma) = (B::read(x), B::read(gamma));
    let width = gamma.len();
    rows_with::<B>(
        dx,
        width,
        #[inline(always)]
        |i, d| {
            let x = &x[i * width..][..width];
            Statistics::new(x, epsilon, kind).derivative(x, d, kind);
            for (d, gamma) in d.iter_mut().zip(gamma.iter()) {
                *d *= gamma;
            }
        },
    )
}

fn backward<B: HostBackend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f32,
    kind: NormKind,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let shape = grad.shape();
    let (x, gamma) = (B::read(x), B::read(gamma));
    let width = gamma.len();
    let mut grad = owned::<B>(grad);
    // Blocks of a fixed number of rows, summed in their order: the same result for any number of
    // threads.
    let block = (2 * CHUNK / width.max(1)).max(1) * width.max(1);
    let mut partial = vec![0.0; 2 * width * grad.len().div_ceil(block)];
    grad.par_chunks_mut(block)
        .zip(x.par_chunks(block))
        .zip(partial.par_chunks_mut(2 * width.max(1)))
        .for_each(|((grad, x), sums)| {
            let (gain, offset) = sums.split_at_mut(width);
            simd(
                #[inline(always)]
                || {
                    for (grad, x) in grad.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                        let by = Statistics::new(x, epsilon, kind);
                        let sums = gain.iter_mut().zip(offset.iter_mut());
                        let values = grad.iter_mut().zip(x).zip(gamma.iter());
                        for (((grad, x), gamma), (gain, offset)) in values.zip(sums) {
                            *gain += *grad * by.normed(*x);
                            *offset += *grad;
                            *grad *= gamma;
                        }
                        by.derivative(x, grad, kind);
                    }
                },
            );
        });
    let mut sums = vec![0.0; 2 * width];
    for block in partial.chunks_exact(2 * width.max(1)) {
        for (sum, part) in sums.iter_mut().zip(block) {
            *sum += part;
        }
    }
    let offset = sums.split_off(width);
    let features = || Shape::new([width]);
    (B::make(grad, shape), B::make(sums, features()), B::make(offset, features()))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl NormOps for $backend {
            fn norm(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                epsilon: f64,
                kind: NormKind,
            ) -> FloatTensor<Self> {
                norm::<Self>(x, gamma, None, epsilon as f32, kind)
            }

            fn norm_offset(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                epsilon: f64,
                kind: NormKind,
            ) -> FloatTensor<Self> {
                norm::<Self>(x, gamma, Some(beta), epsilon as f32, kind)
            }

            fn norm_backward(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                epsilon: f64,
                kind: NormKind,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                backward::<Self>(x, gamma, grad, epsilon as f32, kind)
            }

            fn norm_tangent(
                x: FloatTensor<Self>,
                dx: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                epsilon: f64,
                kind: NormKind,
            ) -> FloatTensor<Self> {
                tangent::<Self>(x, dx, gamma, epsilon as f32, kind)
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

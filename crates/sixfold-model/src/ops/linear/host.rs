//! The affine map on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use ndarray::{ArrayView2, ArrayViewMut2};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

use super::LinearOps;
use crate::ops::host::{HostBackend, repeated, simd};

/// Multiplications below which one thread is faster than several.
const PARALLEL: usize = 128 * 128 * 128;

/// Columns of a strip of the bias gradient.
const STRIP: usize = 256;

fn threads(m: usize, n: usize, k: usize) -> Threads {
    if m.saturating_mul(n).saturating_mul(k) < PARALLEL { Threads::ONE } else { Threads::Pool }
}

/// out ← a·b + beta·out
fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, beta: f32, out: &mut [f32]) {
    let (m, n, k) = (a.nrows(), b.ncols(), a.ncols());
    let out = ArrayViewMut2::from_shape((m, n), out).expect("a buffer of m·n values");
    matmul_into(1.0, a, b, beta, out, threads(m, n, k));
}

/// The values as a matrix of `width` columns.
fn matrix(values: &[f32], width: usize) -> ArrayView2<'_, f32> {
    let rows = values.len().checked_div(width).unwrap_or(0);
    ArrayView2::from_shape((rows, width), values).expect("whole rows")
}

/// The shape with another last axis.
fn with_width(mut shape: Shape, width: usize) -> (Shape, usize) {
    let last = shape.num_dims() - 1;
    shape[last] = width;
    let n = shape.num_elements();
    (shape, n)
}

fn affine<B: HostBackend>(
    x: FloatTensor<B>,
    weight: &FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
) -> FloatTensor<B> {
    let [d_in, d_out] = [weight.shape()[0], weight.shape()[1]];
    let (shape, n) = with_width(x.shape(), d_out);
    let x = B::read(x);
    let (mut out, beta) = match bias {
        None => (vec![0.0; n], 0.0),
        // The product is added to the bias: no second pass over the output.
        Some(bias) => (repeated(&B::read(bias), n / d_out.max(1)), 1.0),
    };
    if d_in == 0 {
        return B::make(out, shape);
    }
    B::with_matrix(weight, |weight| product(matrix(&x, d_in), weight, beta, &mut out));
    B::make(out, shape)
}

fn grad_x<B: HostBackend>(weight: &FloatTensor<B>, g: FloatTensor<B>) -> FloatTensor<B> {
    let [d_in, d_out] = [weight.shape()[0], weight.shape()[1]];
    let (shape, n) = with_width(g.shape(), d_in);
    let mut out = vec![0.0; n];
    if d_out > 0 {
        let g = B::read(g);
        B::with_matrix(weight, |weight| {
            product(matrix(&g, d_out), weight.reversed_axes(), 0.0, &mut out);
        });
    }
    B::make(out, shape)
}

fn grad_weight<B: HostBackend>(x: FloatTensor<B>, g: FloatTensor<B>) -> FloatTensor<B> {
    let width = |x: &FloatTensor<B>| x.shape()[x.shape().num_dims() - 1];
    let (d_in, d_out) = (width(&x), width(&g));
    let mut out = vec![0.0; d_in * d_out];
    if d_in > 0 && d_out > 0 {
        let (x, g) = (B::read(x), B::read(g));
        product(matrix(&x, d_in).reversed_axes(), matrix(&g, d_out), 0.0, &mut out);
    }
    B::make(out, Shape::from([d_in, d_out]))
}

fn grad_bias<B: HostBackend>(g: FloatTensor<B>) -> FloatTensor<B> {
    let width = g.shape()[g.shape().num_dims() - 1];
    let g = B::read(g);
    let mut sums = vec![0.0; width];
    sums.par_chunks_mut(STRIP).enumerate().for_each(|(i, strip)| {
        simd(
            #[inline(always)]
            || {
                for row in g.chunks_exact(width) {
                    for (sum, value) in strip.iter_mut().zip(&row[i * STRIP..]) {
                        *sum += value;
                    }
                }
            },
        );
    });
    B::make(sums, Shape::from([width]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl LinearOps for $backend {
            fn affine(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                affine::<Self>(x, &weight, Some(bias))
            }

            fn project(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
                affine::<Self>(x, &weight, None)
            }

            fn affine_grad_x(weight: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self> {
                grad_x::<Self>(&weight, g)
            }

            fn affine_grad_weight(x: FloatTensor<Self>, g: FloatTensor<Self>) -> FloatTensor<Self> {
                grad_weight::<Self>(x, g)
            }

            fn affine_grad_bias(g: FloatTensor<Self>) -> FloatTensor<Self> {
                grad_bias::<Self>(g)
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

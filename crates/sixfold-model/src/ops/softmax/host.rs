//! Softmax on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{BoolTensor, FloatTensor};

use super::SoftmaxOps;
use crate::ops::host::{HostBackend, exp, max, rows, rows_with, sum, sum_with};

/// The last axis.
fn width(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1)
}

/// The softmax in place; returns what it divided by.
#[inline(always)]
fn softmax_row(row: &mut [f32]) -> f32 {
    let largest = max(row);
    for x in row.iter_mut() {
        *x = exp(*x - largest);
    }
    let total = sum(
        row,
        #[inline(always)]
        |x| x,
    );
    let scale = 1.0 / total;
    for x in row.iter_mut() {
        *x *= scale;
    }
    total
}

/// As [`softmax_row`], where `hidden` has the row's length.
#[inline(always)]
fn masked_row(row: &mut [f32], hidden: &[bool]) {
    for (x, hidden) in row.iter_mut().zip(hidden) {
        *x = if *hidden { f32::NEG_INFINITY } else { *x };
    }
    // Hidden as a whole, or with an infinity or NaN that shows: all of the row is NaN by now.
    if softmax_row(row).is_nan() {
        for (x, hidden) in row.iter_mut().zip(hidden) {
            *x = if *hidden { 0.0 } else { *x };
        }
    }
}

fn softmax<B: HostBackend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let width = width(&x.shape());
    rows::<B>(
        x,
        width,
        #[inline(always)]
        |row| {
            softmax_row(row);
        },
    )
}

fn masked<B: HostBackend>(x: FloatTensor<B>, hidden: BoolTensor<B>) -> FloatTensor<B> {
    let shape = x.shape().to_vec();
    let along = width(&hidden.shape());
    let strides = row_strides(&hidden.shape());
    let hidden = B::truths(hidden);
    rows_with::<B>(
        x,
        width(&shape),
        #[inline(always)]
        |i, row| {
            let hidden = &hidden[mask_row(i, &shape, &strides)..][..along];
            match hidden {
                // One value for the whole row.
                [true] => row.fill(0.0),
                [false] => {
                    softmax_row(row);
                }
                _ => masked_row(row, hidden),
            }
        },
    )
}

/// How far the mask moves along each axis but the last; 0 where it holds for the whole axis.
fn row_strides(mask: &[usize]) -> Vec<usize> {
    let mut stride = width(mask);
    let mut strides = vec![0; mask.len().saturating_sub(1)];
    for (axis, &len) in mask[..strides.len()].iter().enumerate().rev() {
        strides[axis] = if len == 1 { 0 } else { stride };
        stride *= len;
    }
    strides
}

/// Where the mask of row `i` begins.
#[inline(always)]
fn mask_row(mut i: usize, shape: &[usize], strides: &[usize]) -> usize {
    let mut start = 0;
    for (len, stride) in shape.iter().zip(strides).rev() {
        start += i % len * stride;
        i /= len;
    }
    start
}

fn derivative<B: HostBackend>(y: FloatTensor<B>, d: FloatTensor<B>) -> FloatTensor<B> {
    let width = width(&y.shape());
    let y = B::read(y);
    rows_with::<B>(
        d,
        width,
        #[inline(always)]
        |i, d| {
            let y = &y[i * width..][..width];
            let along = sum_with(
                y,
                d,
                #[inline(always)]
                |y, d| y * d,
            );
            for (d, y) in d.iter_mut().zip(y) {
                *d = y * (*d - along);
            }
        },
    )
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl SoftmaxOps for $backend {
            fn softmax_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
                softmax::<Self>(x)
            }

            fn masked_softmax_rows(
                x: FloatTensor<Self>,
                hidden: BoolTensor<Self>,
            ) -> FloatTensor<Self> {
                masked::<Self>(x, hidden)
            }

            fn softmax_derivative(y: FloatTensor<Self>, d: FloatTensor<Self>) -> FloatTensor<Self> {
                derivative::<Self>(y, d)
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

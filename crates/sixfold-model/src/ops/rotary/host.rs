//! Rotary positions on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::RotaryOps;
use crate::ops::host::{HostBackend, rows_with};

fn rotate<B: HostBackend>(
    x: FloatTensor<B>,
    cos: FloatTensor<B>,
    sin: FloatTensor<B>,
    heads: usize,
    inverse: bool,
) -> FloatTensor<B> {
    let width = x.shape()[x.shape().num_dims() - 1];
    let [len, half] = cos.shape().dims();
    let (cos, sin) = (B::read(cos), B::read(sin));
    if half == 0 {
        return x;
    }
    let sign = if inverse { -1.0 } else { 1.0 };
    rows_with::<B>(
        x,
        width,
        #[inline(always)]
        |i, row| {
            let at = i % len * half;
            let (cos, sin) = (&cos[at..][..half], &sin[at..][..half]);
            for head in row.chunks_exact_mut(width / heads) {
                let (a, rest) = head.split_at_mut(half);
                for (((a, b), cos), sin) in a.iter_mut().zip(rest).zip(cos).zip(sin) {
                    let (x, y, sin) = (*a, *b, sign * sin);
                    *a = x * cos - y * sin;
                    *b = y * cos + x * sin;
                }
            }
        },
    )
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl RotaryOps for $backend {
            fn rotate(
                x: FloatTensor<Self>,
                cos: FloatTensor<Self>,
                sin: FloatTensor<Self>,
                heads: usize,
                inverse: bool,
            ) -> FloatTensor<Self> {
                rotate::<Self>(x, cos, sin, heads, inverse)
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

//! Dropout on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::{DropoutMask, DropoutOps};
use crate::ops::host::{CHUNK, HostBackend, rows_with};

fn drop_out<B: HostBackend>(x: FloatTensor<B>, mask: DropoutMask) -> FloatTensor<B> {
    let n = x.shape().num_elements();
    // Rows of any width do, as long as they divide the whole.
    let width = x.shape().iter().rev().copied().find(|&d| d > 1 && d <= CHUNK).unwrap_or(1);
    if n == 0 {
        return x;
    }
    rows_with::<B>(
        x,
        width,
        #[inline(always)]
        |i, row| scale(row, (i * width) as u32, &mask),
    )
}

/// Multiplies a row that begins at `place`.
#[inline(always)]
pub(in crate::ops) fn scale(row: &mut [f32], place: u32, mask: &DropoutMask) {
    for (value, i) in row.iter_mut().zip(0_u32..) {
        *value *= mask.factor(place.wrapping_add(i));
    }
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl DropoutOps for $backend {
            fn drop_out(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
                drop_out::<Self>(x, mask)
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

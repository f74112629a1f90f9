//! The largest entries of each row on the CPU backends.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use rayon::prelude::*;
use sixfold_model::ops::host::{HostBackend, owned};

use super::KeepOps;

fn keep_backward<B: HostBackend>(g: FloatTensor<B>, k: usize) -> FloatTensor<B> {
    let shape = g.shape();
    let d = shape[1];
    let mut values = owned::<B>(g);
    values.par_chunks_mut(d).for_each(|row| keep_largest(row, k));
    B::make(values, shape)
}

/// Sets all but the k largest entries of a row to zero. NaN counts as large, so that it is seen.
fn keep_largest(row: &mut [f32], k: usize) {
    if k == 0 {
        row.fill(0.0);
        return;
    }
    // Magnitudes compare as their bits do.
    let bits = |value: f32| value.abs().to_bits();
    let mut sorted: Vec<u32> = row.iter().map(|&value| bits(value)).collect();
    let (_, &mut threshold, _) = sorted.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
    let above = row.iter().filter(|&&value| bits(value) > threshold).count();
    let mut equal = k - above;
    for value in row {
        let magnitude = bits(*value);
        let kept = magnitude > threshold || (magnitude == threshold && equal > 0);
        if magnitude == threshold && equal > 0 {
            equal -= 1;
        }
        if !kept {
            *value = 0.0;
        }
    }
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl KeepOps for $backend {
            fn keep(y: FloatTensor<Self>, _: usize) -> FloatTensor<Self> {
                y
            }

            fn keep_backward(g: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
                keep_backward::<Self>(g, k)
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

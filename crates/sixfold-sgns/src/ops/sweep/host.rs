//! The sweep on the CPU backends: that of the crate without burn.

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use ndarray::ArrayView2;
use sixfold_model::ops::host::HostBackend;

use super::SweepOps;
use crate::sweep::{HostSweep, Positives, Terms};

#[expect(clippy::too_many_arguments, reason = "those of the operation")]
fn forward<B: HostBackend>(
    a: FloatTensor<B>,
    b: FloatTensor<B>,
    right: FloatTensor<B>,
    row_weights: FloatTensor<B>,
    column_weights: FloatTensor<B>,
    offsets: IntTensor<B>,
    columns: IntTensor<B>,
    counts: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shapes = [a.shape().dims::<2>(), b.shape().dims(), right.shape().dims()];
    let [n, r] = [shapes[0][0], shapes[2][1]];
    let (row_weights, column_weights) = (B::read(row_weights), B::read(column_weights));
    let (offsets, counts) = (B::indices(offsets), B::read(counts));
    let columns: Vec<u32> = B::indices(columns).into_iter().map(|j| j as u32).collect();
    let positives = Positives { offsets: &offsets, columns: &columns, counts: &counts };
    let terms = Terms { b: &row_weights, q: &column_weights, positives };
    let [a, b, right] = [B::read(a), B::read(b), B::read(right)];
    let view = |values, shape: [usize; 2]| {
        ArrayView2::from_shape(shape, values).expect("as many values as the shape says")
    };
    let [a, b, right] = [view(&a, shapes[0]), view(&b, shapes[1]), view(&right, shapes[2])];
    let (values, product) = HostSweep::of(terms).by_row(a, b, right);
    let values = values.into_iter().map(|value| value as f32).collect();
    let (product, _) = product.into_raw_vec_and_offset();
    (B::make(values, Shape::new([n])), B::make(product, Shape::new([n, r])))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl SweepOps for $backend {
            fn sgns_sweep(
                a: FloatTensor<Self>,
                b: FloatTensor<Self>,
                right: FloatTensor<Self>,
                row_weights: FloatTensor<Self>,
                column_weights: FloatTensor<Self>,
                offsets: IntTensor<Self>,
                columns: IntTensor<Self>,
                counts: FloatTensor<Self>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                forward::<Self>(a, b, right, row_weights, column_weights, offsets, columns, counts)
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

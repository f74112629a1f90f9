//! Bags on the CPU backends: those of the crate without burn.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use sixfold_model::ops::host::HostBackend;

use super::PoolOps;
use crate::bags::{self, Bags};

fn width<B: HostBackend>(rows: &FloatTensor<B>) -> usize {
    rows.shape()[1]
}

fn sum<B: HostBackend>(
    rows: FloatTensor<B>,
    weights: FloatTensor<B>,
    bags: &Bags,
) -> FloatTensor<B> {
    let d = width::<B>(&rows);
    let values = bags::sum(&B::read(rows), d, bags, &B::read(weights));
    B::make(values, Shape::new([bags.len(), d]))
}

fn sum_backward<B: HostBackend>(
    rows: FloatTensor<B>,
    weights: FloatTensor<B>,
    grad: FloatTensor<B>,
    bags: &Bags,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let d = width::<B>(&rows);
    let (rows, weights, grad) = (B::read(rows), B::read(weights), B::read(grad));
    let (of_rows, of_weights) = bags::sum_backward(&rows, d, bags, &weights, &grad);
    let of_rows = B::make(of_rows, Shape::new([bags.rows(), d]));
    (of_rows, B::make(of_weights, Shape::new([bags.ids()])))
}

fn max<B: HostBackend>(rows: FloatTensor<B>, bags: &Bags) -> FloatTensor<B> {
    let d = width::<B>(&rows);
    B::make(bags::max(&B::read(rows), d, bags), Shape::new([bags.len(), d]))
}

fn max_backward<B: HostBackend>(
    rows: FloatTensor<B>,
    grad: FloatTensor<B>,
    bags: &Bags,
) -> FloatTensor<B> {
    let d = width::<B>(&rows);
    let values = bags::max_backward(&B::read(rows), d, bags, &B::read(grad));
    B::make(values, Shape::new([bags.rows(), d]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl PoolOps for $backend {
            fn bag_sum(
                rows: FloatTensor<Self>,
                weights: FloatTensor<Self>,
                bags: Arc<Bags>,
            ) -> FloatTensor<Self> {
                sum::<Self>(rows, weights, &bags)
            }

            fn bag_sum_backward(
                rows: FloatTensor<Self>,
                weights: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                bags: Arc<Bags>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                sum_backward::<Self>(rows, weights, grad, &bags)
            }

            fn bag_max(rows: FloatTensor<Self>, bags: Arc<Bags>) -> FloatTensor<Self> {
                max::<Self>(rows, &bags)
            }

            fn bag_max_backward(
                rows: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                bags: Arc<Bags>,
            ) -> FloatTensor<Self> {
                max_backward::<Self>(rows, grad, &bags)
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

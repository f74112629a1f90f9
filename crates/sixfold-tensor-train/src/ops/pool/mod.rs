//! Sums, means and maxima of rows over bags.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

use crate::bags::Bags;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait PoolOps: Backend {
        /// Σ w·row over each bag.
        fn bag_sum(
            rows: FloatTensor<Self>,
            weights: FloatTensor<Self>,
            bags: Arc<Bags>,
        ) -> FloatTensor<Self>;

        /// The gradients of rows and weights.
        fn bag_sum_backward(
            rows: FloatTensor<Self>,
            weights: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            bags: Arc<Bags>,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);

        /// The largest of each column over each bag.
        fn bag_max(rows: FloatTensor<Self>, bags: Arc<Bags>) -> FloatTensor<Self>;

        /// The gradient of rows.
        fn bag_max_backward(
            rows: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            bags: Arc<Bags>,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::PoolOps;

/// Σ w·row over the members of each bag; 0 for an empty one.
///
/// # Shapes
/// `rows`: `[different ids, D]`, `weights`: `[ids]` → `[bags, D]`
///
/// # Panics
/// If the shapes are not those of the bags.
///
/// # Complexity
/// 2·ids·D operations; 4 · backward.
pub fn bag_sum(rows: Tensor<2>, weights: Tensor<1>, bags: &Arc<Bags>) -> Tensor<2> {
    check(&rows, bags);
    assert_eq!(weights.dims(), [bags.ids()], "a weight for each id");
    if rows.dtype() != DType::F32 || weights.dtype() != DType::F32 {
        return reference::bag_sum(rows, weights, bags);
    }
    let (rows, weights) = (rows.into_dispatch(), weights.into_dispatch());
    Tensor::from_dispatch(Dispatch::bag_sum(rows, weights, bags.clone()))
}

/// The largest of each column over the members of each bag; 0 for an empty one. Its gradient goes to the
/// first member that has it.
///
/// # Shapes
/// `rows`: `[different ids, D]` → `[bags, D]`
///
/// # Panics
/// If the shape is not that of the bags.
pub fn bag_max(rows: Tensor<2>, bags: &Arc<Bags>) -> Tensor<2> {
    check(&rows, bags);
    if rows.dtype() != DType::F32 {
        return reference::bag_max(rows, bags);
    }
    Tensor::from_dispatch(Dispatch::bag_max(rows.into_dispatch(), bags.clone()))
}

fn check(rows: &Tensor<2>, bags: &Bags) {
    assert_eq!(rows.dims()[0], bags.rows(), "the rows of the bags' different ids");
}

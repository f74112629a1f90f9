//! The look-up on the CPU backends: that of the crate without burn.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use sixfold_model::ops::host::{HostBackend, recycled};

use super::LookupOps;
use crate::TtShape;
use crate::lookup::{self, Plan};

fn forward<B: HostBackend>(cores: FloatTensor<B>, shape: &TtShape, plan: &Plan) -> FloatTensor<B> {
    let mut rows = recycled(plan.len() * shape.d_embed());
    lookup::forward_into(shape, &B::read(cores), plan, &mut rows);
    B::make(rows, Shape::new([plan.len(), shape.d_embed()]))
}

fn backward<B: HostBackend>(
    cores: FloatTensor<B>,
    grad: FloatTensor<B>,
    shape: &TtShape,
    plan: &Plan,
) -> FloatTensor<B> {
    let values = lookup::backward(shape, &B::read(cores), plan, &B::read(grad));
    B::make(values, Shape::new([shape.parameters()]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl LookupOps for $backend {
            fn tt_rows(
                cores: FloatTensor<Self>,
                shape: Arc<TtShape>,
                plan: Arc<Plan>,
            ) -> FloatTensor<Self> {
                forward::<Self>(cores, &shape, &plan)
            }

            fn tt_rows_backward(
                cores: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                shape: Arc<TtShape>,
                plan: Arc<Plan>,
            ) -> FloatTensor<Self> {
                backward::<Self>(cores, grad, &shape, &plan)
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

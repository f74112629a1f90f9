//! Rows of a table in tensor-train form by id.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
mod levels;
pub mod reference;

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};

use super::{check, flat};
use crate::TtShape;
use crate::lookup::Plan;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait LookupOps: Backend {
        /// The rows of a plan, `[n, D]`, of cores as one vector.
        fn tt_rows(
            cores: FloatTensor<Self>,
            shape: Arc<TtShape>,
            plan: Arc<Plan>,
        ) -> FloatTensor<Self>;

        /// The gradient of the cores.
        fn tt_rows_backward(
            cores: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            shape: Arc<TtShape>,
            plan: Arc<Plan>,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::LookupOps;

/// Looks the rows of a plan up.
///
/// Each different id is computed once, and so is each prefix that neighbours share; neither the table nor,
/// on CPUs, the prefixes are stored. The backward pass keeps the cores and the plan, and adds in an order
/// that the plan alone decides.
///
/// # Shapes
/// `cores`: d of `[I_k, r_{k−1}, J_k, r_k]` → `[n, D]` for a plan of n ids
///
/// # Panics
/// If the cores are not those of the shape, or the plan is for a larger table.
///
/// # Complexity
/// That of [`lookup::forward`](crate::lookup::forward) and [`backward`](crate::lookup::backward). On GPUs
/// all prefixes are kept during an operation; other types than f32 take the reference.
pub fn lookup(cores: &[Tensor<4>], shape: &Arc<TtShape>, plan: &Arc<Plan>) -> Tensor<2> {
    check(cores, shape);
    if cores[0].dtype() != DType::F32 {
        return reference::lookup(cores, shape, plan);
    }
    let cores = flat(cores).into_dispatch();
    Tensor::from_dispatch(Dispatch::tt_rows(cores, shape.clone(), plan.clone()))
}

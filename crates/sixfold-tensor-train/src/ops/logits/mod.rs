//! A head tied to a table in tensor-train form: logits, and their cross-entropy without them.

mod autodiff;
mod cross_entropy;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use std::sync::Arc;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Int, Tensor};

use super::{check, flat};
use crate::TtShape;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait LogitsOps: Backend {
        /// h·Wᵀ, `[n, V]`, of cores as one vector.
        fn tt_logits(
            hidden: FloatTensor<Self>,
            cores: FloatTensor<Self>,
            shape: Arc<TtShape>,
        ) -> FloatTensor<Self>;

        /// The gradients of hidden states and cores.
        fn tt_logits_backward(
            hidden: FloatTensor<Self>,
            cores: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            shape: Arc<TtShape>,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);

        /// The losses and log Σ exp of the logits, `[n]` each.
        fn tt_cross_entropy(
            hidden: FloatTensor<Self>,
            cores: FloatTensor<Self>,
            targets: IntTensor<Self>,
            shape: Arc<TtShape>,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);

        /// The gradients of hidden states and cores.
        fn tt_cross_entropy_backward(
            hidden: FloatTensor<Self>,
            cores: FloatTensor<Self>,
            targets: IntTensor<Self>,
            log_sums: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            shape: Arc<TtShape>,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);
    }
}
pub(crate) use extension::LogitsOps;

/// The product of each hidden state with each row of the vocabulary, h·Wᵀ.
///
/// The table is never whole; its padding has no logits.
///
/// # Shapes
/// `hidden`: `[n, D]`, `cores`: d of `[I_k, r_{k−1}, J_k, r_k]` → `[n, V]`
///
/// # Panics
/// If the cores are not those of the shape, or hidden states are not as long as its rows.
///
/// # Complexity
/// On CPUs that of the faster [`Method`](crate::logits::Method), elsewhere a product with blocks of rows.
pub fn logits(hidden: Tensor<2>, cores: &[Tensor<4>], shape: &Arc<TtShape>) -> Tensor<2> {
    check(cores, shape);
    assert_eq!(hidden.dims()[1], shape.d_embed(), "hidden states as long as rows");
    if hidden.dtype() != DType::F32 || cores[0].dtype() != DType::F32 {
        return reference::logits(hidden, cores, shape);
    }
    let (hidden, cores) = (hidden.into_dispatch(), flat(cores).into_dispatch());
    Tensor::from_dispatch(Dispatch::tt_logits(hidden, cores, shape.clone()))
}

/// The cross-entropy of the softmax over the vocabulary, log Σ_v exp(h·w_v) − h·w_t, one value a state.
///
/// Neither the table nor the logits are ever whole: the backward pass makes them again, block by block.
///
/// # Shapes
/// `hidden`: `[n, D]`, `cores`: as [`logits`], `targets`: `[n]`, below V → `[n]`
///
/// # Panics
/// As [`logits`], and on CPUs if a target is no row.
///
/// # Complexity
/// The operations of [`logits`], and three times as many backward.
pub fn cross_entropy(
    hidden: Tensor<2>,
    cores: &[Tensor<4>],
    targets: Tensor<1, Int>,
    shape: &Arc<TtShape>,
) -> Tensor<1> {
    check(cores, shape);
    let [n, d] = hidden.dims();
    assert_eq!(d, shape.d_embed(), "hidden states as long as rows");
    assert_eq!(targets.dims(), [n], "a target for each hidden state");
    if hidden.dtype() != DType::F32 || cores[0].dtype() != DType::F32 {
        return reference::cross_entropy(hidden, cores, targets, shape);
    }
    let (losses, _) = Dispatch::tt_cross_entropy(
        hidden.into_dispatch(),
        flat(cores).into_dispatch(),
        targets.into_dispatch(),
        shape.clone(),
    );
    Tensor::from_dispatch(losses)
}

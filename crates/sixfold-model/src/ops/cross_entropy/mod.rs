//! Cross-entropy fused with the log-softmax.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Int, Tensor};

use super::has_kernel;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait CrossEntropyOps: Backend {
        /// The losses, `[n]`, and what the backward pass needs of each row beside the logits:
        /// the largest logit and the logarithm of Σ exp(logit − largest), `[n, 2]`.
        ///
        /// Two numbers instead of their sum, because that would round the second away where
        /// logits are large.
        fn cross_entropy(
            logits: FloatTensor<Self>,
            targets: IntTensor<Self>,
            smoothing: f32,
        ) -> (FloatTensor<Self>, FloatTensor<Self>);

        /// `(softmax − target)·grad`, in the logits' memory where it can.
        fn cross_entropy_backward(
            logits: FloatTensor<Self>,
            targets: IntTensor<Self>,
            statistics: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            smoothing: f32,
        ) -> FloatTensor<Self>;

        /// The derivative of each loss in the direction `direction` of the logits.
        fn cross_entropy_tangent(
            logits: FloatTensor<Self>,
            direction: FloatTensor<Self>,
            targets: IntTensor<Self>,
            smoothing: f32,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::CrossEntropyOps;

/// Cross-entropy of logits, one value a row, in natural logarithms:
/// `log Σ_c exp(x_c) − (1 − ε)·x_t − ε·mean(x)`.
///
/// `smoothing` is ε, the share of the target that is spread over all classes (arXiv 1512.00567,
/// §7; as in PyTorch), 0 for none.
///
/// # Shapes
/// `logits`: `[n, classes]`, `targets`: `[n]`, below `classes` → `[n]`
///
/// # Panics
/// If a target is not below `classes`, on the CPU. GPUs do not check.
///
/// # Complexity
/// Keeps two numbers a row beside the logits. Their gradient takes the logits' own memory where
/// nobody shares it: no second `[n, classes]`.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let logits = Tensor::<2>::from_floats([[0.0, 0.0, 0.0, 0.0]], &device);
/// let targets = Tensor::<1, Int>::from_ints([2], &device);
/// let loss: f32 = ops::cross_entropy(logits, targets, 0.0).into_scalar();
/// assert!((loss - 4_f32.ln()).abs() < 1e-6);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    assert_eq!(logits.dims()[..1], targets.dims(), "a target for each row");
    if !has_kernel(&logits) {
        return reference::cross_entropy(logits, targets, smoothing);
    }
    let (losses, _) =
        Dispatch::cross_entropy(logits.into_dispatch(), targets.into_dispatch(), smoothing as f32);
    Tensor::from_dispatch(losses)
}

/// The derivative of [`cross_entropy`] at `logits` in the direction `direction`.
///
/// # Shapes
/// `logits`, `direction`: `[n, classes]`, `targets`: `[n]` → `[n]`
///
/// # Panics
/// As [`cross_entropy`].
pub fn cross_entropy_tangent(
    logits: Tensor<2>,
    direction: Tensor<2>,
    targets: Tensor<1, Int>,
    smoothing: f64,
) -> Tensor<1> {
    assert_eq!(logits.dims()[..1], targets.dims(), "a target for each row");
    let tracked = logits.device().is_autodiff() || direction.device().is_autodiff();
    if tracked || !has_kernel(&logits) || !has_kernel(&direction) {
        return reference::cross_entropy_tangent(logits, direction, targets, smoothing);
    }
    Tensor::from_dispatch(Dispatch::cross_entropy_tangent(
        logits.into_dispatch(),
        direction.into_dispatch(),
        targets.into_dispatch(),
        smoothing as f32,
    ))
}

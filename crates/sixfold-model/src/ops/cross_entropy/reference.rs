//! Cross-entropy made of plain burn operations.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};

/// See [`cross_entropy`](super::cross_entropy).
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    expected(log_softmax(logits, 1), targets, smoothing).neg()
}

/// See [`cross_entropy_tangent`](super::cross_entropy_tangent).
pub fn cross_entropy_tangent(
    logits: Tensor<2>,
    direction: Tensor<2>,
    targets: Tensor<1, Int>,
    smoothing: f64,
) -> Tensor<1> {
    let along = (softmax(logits, 1) * direction.clone()).sum_dim(1).squeeze_dim::<1>(1);
    along - expected(direction, targets, smoothing)
}

/// The mean of each row under the smoothed target.
fn expected(x: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let at_target = x.clone().gather(1, targets.unsqueeze_dim::<2>(1)).squeeze_dim::<1>(1);
    // Without smoothing an infinite logit elsewhere must not count.
    if smoothing == 0.0 {
        return at_target;
    }
    at_target * (1.0 - smoothing) + x.mean_dim(1).squeeze_dim::<1>(1) * smoothing
}

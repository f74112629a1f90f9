//! Norms made of plain burn operations.

use burn::tensor::Tensor;

/// See [`layer_norm`](super::layer_norm).
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let centred = x.clone() - x.mean_dim(D - 1);
    let y = rms_norm(centred, gamma, epsilon);
    match beta {
        Some(beta) => y + beta.unsqueeze(),
        None => y,
    }
}

/// See [`rms_norm`](super::rms_norm).
pub fn rms_norm<const D: usize>(x: Tensor<D>, gamma: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let scale = (x.clone().square().mean_dim(D - 1) + epsilon).sqrt().recip();
    x * scale * gamma.unsqueeze()
}

/// See [`layer_norm_tangent`](super::layer_norm_tangent).
pub fn layer_norm_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    gamma: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let centred = x.clone() - x.mean_dim(D - 1);
    let direction = dx.clone() - dx.mean_dim(D - 1);
    rms_norm_tangent(centred, direction, gamma, epsilon)
}

/// See [`rms_norm_tangent`](super::rms_norm_tangent).
pub fn rms_norm_tangent<const D: usize>(
    x: Tensor<D>,
    dx: Tensor<D>,
    gamma: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let scale = (x.clone().square().mean_dim(D - 1) + epsilon).sqrt().recip();
    let normed = x * scale.clone();
    let along = (normed.clone() * dx.clone()).mean_dim(D - 1);
    (dx - normed * along) * scale * gamma.unsqueeze()
}

//! The core of a gradient with plain burn operations.

use burn::tensor::Tensor;

/// C = Uᵀ·xᵀ·g·V, `[r_in, r_out]`.
pub fn core(x: Tensor<2>, g: Tensor<2>, u: Option<Tensor<2>>, v: Option<Tensor<2>>) -> Tensor<2> {
    let gradient = x.transpose().matmul(g);
    let gradient = match u {
        Some(u) => u.transpose().matmul(gradient),
        None => gradient,
    };
    match v {
        Some(v) => gradient.matmul(v),
        None => gradient,
    }
}

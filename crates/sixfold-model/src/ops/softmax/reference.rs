//! Softmax made of plain burn operations.

use burn::tensor::{Bool, Tensor, activation};

/// See [`softmax`](super::softmax).
pub fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::softmax(x, D - 1)
}

/// See [`masked_softmax`](super::masked_softmax).
pub fn masked_softmax<const D: usize>(x: Tensor<D>, hidden: Tensor<D, Bool>) -> Tensor<D> {
    let hidden = hidden.expand(x.dims());
    // Finite, so that a row hidden as a whole is not NaN before it is cleared.
    let shown = x.mask_fill(hidden.clone(), -1e30);
    softmax(shown).mask_fill(hidden, 0.0)
}

/// See [`softmax_tangent`](super::softmax_tangent).
pub fn softmax_tangent<const D: usize>(y: Tensor<D>, dx: Tensor<D>) -> Tensor<D> {
    let along = (y.clone() * dx.clone()).sum_dim(D - 1);
    y * (dx - along)
}

//! The change of the weights with plain burn operations.

use burn::tensor::{Int, Tensor};

use crate::Mask;
use crate::ops::observe::reference::core;

/// See [`update`](super::update).
pub fn update(
    w: Tensor<2>,
    u: Option<&Tensor<2>>,
    v: Option<&Tensor<2>>,
    values: Tensor<1>,
    indices: Tensor<1, Int>,
    mask: &Mask,
) -> Tensor<2> {
    let change = core(values, indices, mask);
    let dtype = change.dtype();
    let change = match u {
        Some(u) => u.clone().cast(dtype).matmul(change),
        None => change,
    };
    let change = match v {
        Some(v) => change.matmul(v.clone().cast(dtype).transpose()),
        None => change,
    };
    let dtype = w.dtype();
    w + change.cast(dtype)
}

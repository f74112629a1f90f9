//! The largest entries with plain burn operations.

use burn::tensor::{Int, Tensor};

/// See [`top_k`](super::top_k); of equal values any may be kept.
pub fn top_k(values: Tensor<1>, k: usize) -> Tensor<1, Int> {
    let (_, places) = values.abs().sort_descending_with_indices(0);
    places.narrow(0, 0, k).sort(0)
}

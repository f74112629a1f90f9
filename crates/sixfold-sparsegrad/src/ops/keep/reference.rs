//! The k largest entries of each row with plain burn operations.

use burn::tensor::{IndexingUpdateOp, Tensor};

/// g with all but the k largest entries of each row set to zero.
pub fn largest(g: Tensor<2>, k: usize) -> Tensor<2> {
    let (_, places) = g.clone().abs().sort_descending_with_indices(1);
    let places = places.narrow(1, 0, k);
    let kept = g.clone().gather(1, places.clone());
    g.zeros_like().scatter(1, places, kept, IndexingUpdateOp::Add)
}

//! The sweep of plain burn operations, with X as a tensor.

use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::{IndexingUpdateOp, Tensor};

use super::{Factors, Pairs};

/// As [`sweep`](super::sweep()).
pub fn sweep(factors: Factors, pairs: &Pairs) -> (Tensor<1>, Tensor<2>) {
    let Factors { a, b, right, row_weights, column_weights } = factors;
    let [n, m] = pairs.shape();
    let weights = row_weights.reshape([n, 1]).matmul(column_weights.reshape([1, m]));
    let x = a.clone().matmul(b.clone().transpose());
    let negatives = (weights.clone() * softplus(x.clone(), 1.0)).sum_dim(1).reshape([n]);
    let product = -(weights * sigmoid(x)).matmul(right.clone());

    let (words, columns) = (pairs.words(), pairs.columns());
    let counts = pairs.counts().cast(a.dtype());
    let of_pairs = a.select(0, words.clone()) * b.select(0, columns.clone());
    let x = of_pairs.sum_dim(1);
    let counts = counts.reshape([-1, 1]);
    let losses = (counts.clone() * softplus(-x.clone(), 1.0)).squeeze_dim::<1>(1);
    let values = (-negatives).select_assign(0, words.clone(), -losses, IndexingUpdateOp::Add);
    let derivatives = counts * sigmoid(-x) * right.select(0, columns);
    (values, product.select_assign(0, words, derivatives, IndexingUpdateOp::Add))
}

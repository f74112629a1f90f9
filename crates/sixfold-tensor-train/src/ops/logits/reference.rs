//! Logits and cross-entropy made of plain burn operations, with the whole table.

use burn::tensor::{Int, Tensor};

use crate::TtShape;
use crate::ops::lookup::reference::table;

/// See [`logits`](super::logits()).
pub fn logits(hidden: Tensor<2>, cores: &[Tensor<4>], shape: &TtShape) -> Tensor<2> {
    let rows = table(cores, shape).narrow(0, 0, shape.vocab_size());
    hidden.matmul(rows.transpose())
}

/// See [`cross_entropy`](super::cross_entropy()).
pub fn cross_entropy(
    hidden: Tensor<2>,
    cores: &[Tensor<4>],
    targets: Tensor<1, Int>,
    shape: &TtShape,
) -> Tensor<1> {
    sixfold_model::ops::cross_entropy::reference::cross_entropy(
        logits(hidden, cores, shape),
        targets,
        0.0,
    )
}

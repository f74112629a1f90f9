//! The look-up made of plain burn operations.

use burn::tensor::{Int, Tensor};

/// See [`embedding`](super::embedding).
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    let [batch, seq] = ids.dims();
    let d = table.dims()[1];
    // `reshape` would take a 0 for the length that the axis had before.
    if batch * seq * d == 0 {
        return Tensor::zeros([batch, seq, d], (&table.device(), table.dtype()));
    }
    table.select(0, ids.reshape([batch * seq])).reshape([batch, seq, d])
}

//! The same with plain burn operations: S is added and taken away again.

use burn::tensor::{Int, Tensor};

use crate::Mask;

/// See [`observe`](super::observe). The forward pass adds z·(S − S)·Vᵀ, whose value is zero and whose derivative is not.
pub fn observe(
    y: Tensor<2>,
    z: Tensor<2>,
    values: Tensor<1>,
    v: Option<Tensor<2>>,
    indices: Tensor<1, Int>,
    mask: &Mask,
) -> Tensor<2> {
    let difference = values.clone() - values.detach();
    let added = z.detach().matmul(core(difference, indices, mask));
    y + match v {
        Some(v) => {
            let dtype = added.dtype();
            added.matmul(v.detach().cast(dtype).transpose())
        }
        None => added,
    }
}

/// The core with some values at the entries of a mask.
///
/// # Shapes
/// `values`: `[k]` → `[r_in, r_out]`
pub fn core(values: Tensor<1>, indices: Tensor<1, Int>, mask: &Mask) -> Tensor<2> {
    let [rows, columns] = mask.shape();
    match mask.indices() {
        None => values.reshape([rows, columns]),
        Some(_) => {
            let zeros = Tensor::<1>::zeros([rows * columns], (&values.device(), values.dtype()));
            zeros
                .select_assign(0, indices, values, burn::tensor::IndexingUpdateOp::Add)
                .reshape([rows, columns])
        }
    }
}

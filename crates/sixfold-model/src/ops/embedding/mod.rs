//! Rows of a table by index.

mod autodiff;
#[cfg(feature = "cube")]
mod cube;
mod host;
pub mod reference;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Int, Tensor};

use super::has_kernel;

#[cfg_attr(feature = "ndarray", expect(deprecated, reason = "the second CPU backend"))]
mod extension {
    use super::*;

    #[backend_extension(
        Cube: cfg(feature = "cube"),
        Flex: cfg(feature = "flex"),
        NdArray: cfg(feature = "ndarray"),
        Autodiff
    )]
    pub(crate) trait EmbeddingOps: Backend {
        /// The rows of the table.
        fn rows_of(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self>;

        /// The gradient of a table of `rows` rows.
        fn rows_of_backward(
            grad: FloatTensor<Self>,
            ids: IntTensor<Self>,
            rows: usize,
        ) -> FloatTensor<Self>;
    }
}
pub(crate) use extension::EmbeddingOps;

/// Looks rows of a table up. Linear in the table: its tangent is the look-up in the direction.
///
/// Tables in f16 or bf16 stay so; the rows come in f32.
///
/// # Shapes
/// `table`: `[rows, d]`, `ids`: `[batch, seq]`, below `rows` → `[batch, seq, d]`
///
/// # Panics
/// If an id is not below `rows`, on the CPU. GPUs do not check.
///
/// # Complexity
/// Backward it adds to the rows that were looked up, in the order of the tokens, in memory that
/// the system hands out zeroed: rows that nobody looked up are never touched.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use sixfold_model::ops;
///
/// let device = sixfold_model::device("flex")?;
/// let table = Tensor::<2>::from_floats([[1.0], [2.0], [3.0]], &device);
/// let ids = Tensor::<2, Int>::from_ints([[2, 0]], &device);
/// let rows: Vec<f32> = ops::embedding(table, ids).into_data().to_vec().unwrap();
/// assert_eq!(rows, [3.0, 1.0]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    if !has_kernel(&table) {
        let rows = reference::embedding(table, ids);
        return if rows.dtype().size() < 4 { rows.cast(DType::F32) } else { rows };
    }
    Tensor::from_dispatch(Dispatch::rows_of(table.into_dispatch(), ids.into_dispatch()))
}

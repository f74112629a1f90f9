//! The look-up on CUDA and wgpu: burn's own operations, which add in a fixed order too.

use burn::backend::TensorMetadata;
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;

use super::EmbeddingOps;

impl EmbeddingOps for CubeBackend {
    fn rows_of(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        Self::embedding(table, ids)
    }

    fn rows_of_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: usize,
    ) -> FloatTensor<Self> {
        let shape = Shape::new([rows, grad.shape()[2]]);
        // Only its shape is read.
        let table = Self::float_empty(shape, &grad.device, grad.dtype.into());
        Self::embedding_backward(table, grad, ids)
    }
}

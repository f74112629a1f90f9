//! The change of the weights on CUDA and wgpu: a scatter, and burn's own products.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{FloatDType, IndexingUpdateOp, Shape};
use burn_cubecl::CubeBackend;

use super::UpdateOps;
use crate::Mask;

impl UpdateOps for CubeBackend {
    fn update(
        w: FloatTensor<Self>,
        u: FloatTensor<Self>,
        v: FloatTensor<Self>,
        values: FloatTensor<Self>,
        indices: IntTensor<Self>,
        mask: Arc<Mask>,
    ) -> FloatTensor<Self> {
        let [rows, columns] = mask.shape();
        let is_there = |basis: &FloatTensor<Self>| basis.shape().num_elements() > 0;
        let [u, v] = [u, v].map(|basis| Self::float_cast(basis, FloatDType::F32));
        let core = match mask.indices() {
            None => values,
            Some(_) => {
                let zeros =
                    Self::float_zeros(Shape::new([rows * columns]), &w.device, FloatDType::F32);
                Self::float_select_assign(zeros, 0, indices, values, IndexingUpdateOp::Add)
            }
        };
        let core = Self::float_reshape(core, Shape::new([rows, columns]));
        let change = if is_there(&u) { Self::float_matmul(u, core) } else { core };
        let change = if is_there(&v) {
            Self::float_matmul(change, Self::float_transpose(v))
        } else {
            change
        };
        Self::float_add(w, change)
    }
}

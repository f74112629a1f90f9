//! Rotated outputs and the entries of a core on CUDA and wgpu: burn's own products, and a gather.

use std::sync::Arc;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{FloatDType, Shape};
use burn_cubecl::CubeBackend;

use super::ObserveOps;
use crate::Mask;

impl ObserveOps for CubeBackend {
    fn observe_rotated(
        y: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: Arc<Mask>,
    ) -> FloatTensor<Self> {
        y
    }

    fn observe_plain(
        y: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: Arc<Mask>,
    ) -> FloatTensor<Self> {
        y
    }

    fn rotate_outputs(g: FloatTensor<Self>, v: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(g, Self::float_cast(v, FloatDType::F32))
    }

    fn entries(
        z: FloatTensor<Self>,
        g: FloatTensor<Self>,
        indices: IntTensor<Self>,
        mask: Arc<Mask>,
    ) -> FloatTensor<Self> {
        let [rows, columns] = mask.shape();
        let core = Self::float_matmul(Self::float_transpose(z), g);
        let core = Self::float_reshape(core, Shape::new([rows * columns]));
        match mask.indices() {
            None => core,
            Some(_) => Self::float_select(core, 0, indices),
        }
    }
}

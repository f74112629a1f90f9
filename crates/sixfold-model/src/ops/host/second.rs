//! Buffers of burn-ndarray.
#![expect(deprecated, reason = "kept as second CPU backend and oracle")]

use std::ops::Deref;

use burn::backend::tensor::{BoolTensor, FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_ndarray::{NdArray, NdArrayTensor, SharedArray};
use ndarray::{ArrayView2, IxDyn};

use super::HostBackend;

/// An f32 array in row-major order.
#[derive(Clone, Debug)]
pub struct NdArrayValues(SharedArray<f32>);

impl Deref for NdArrayValues {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.as_slice().expect("an array in standard layout")
    }
}

fn shared(x: NdArrayTensor) -> SharedArray<f32> {
    match x {
        NdArrayTensor::F32(storage) => storage.into_shared(),
        _ => panic!("kernels take f32"),
    }
}

impl HostBackend for NdArray {
    type Values = NdArrayValues;

    fn read(x: FloatTensor<Self>) -> NdArrayValues {
        let x = shared(x);
        let standard = x.is_standard_layout();
        NdArrayValues(if standard { x } else { x.as_standard_layout().into_owned().into_shared() })
    }

    fn take(x: FloatTensor<Self>) -> Result<Vec<f32>, NdArrayValues> {
        let x = shared(x);
        if x.is_standard_layout() && x.is_unique() {
            let n = x.len();
            let (values, offset) = x.into_owned().into_raw_vec_and_offset();
            if offset.unwrap_or(0) == 0 && values.len() == n {
                return Ok(values);
            }
            let offset = offset.unwrap_or(0);
            return Ok(values[offset..offset + n].to_vec());
        }
        Err(NdArrayValues(if x.is_standard_layout() {
            x
        } else {
            x.as_standard_layout().into_owned().into_shared()
        }))
    }

    fn with_matrix<R>(x: &FloatTensor<Self>, f: impl FnOnce(ArrayView2<'_, f32>) -> R) -> R {
        match x {
            NdArrayTensor::F32(storage) => {
                f(storage.view().into_dimensionality().expect("a matrix"))
            }
            _ => panic!("kernels take f32 matrices"),
        }
    }

    fn make(values: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        let shape: Vec<usize> = shape.iter().copied().collect();
        SharedArray::from_shape_vec(IxDyn(&shape), values).expect("values of the shape").into()
    }

    fn indices(x: IntTensor<Self>) -> Vec<usize> {
        match x {
            NdArrayTensor::I64(storage) => storage.view().iter().map(|&i| i as usize).collect(),
            NdArrayTensor::I32(storage) => storage.view().iter().map(|&i| i as usize).collect(),
            NdArrayTensor::U32(storage) => storage.view().iter().map(|&i| i as usize).collect(),
            _ => panic!("indices are 32 or 64 bits wide"),
        }
    }
    fn truths(x: BoolTensor<Self>) -> Vec<bool> {
        match x {
            NdArrayTensor::Bool(storage) => storage.view().iter().copied().collect(),
            _ => panic!("masks are truth values"),
        }
    }
}

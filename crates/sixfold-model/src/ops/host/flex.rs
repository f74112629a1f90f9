//! Buffers of burn-flex.

use std::ops::Deref;

use burn::backend::tensor::{BoolTensor, FloatTensor, IntTensor};
use burn::tensor::{DType, Shape, TensorData, bf16, f16};
use burn_flex::{Flex, FlexTensor, Layout};
use ndarray::{ArrayView2, ShapeBuilder};

use super::HostBackend;
use super::kept::bytes;

/// A contiguous f32 tensor.
#[derive(Clone, Debug)]
pub struct FlexValues(FlexTensor);

impl Deref for FlexValues {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.as_slice().expect("an f32 tensor, made contiguous")
    }
}

impl HostBackend for Flex {
    type Values = FlexValues;

    fn read(x: FloatTensor<Self>) -> FlexValues {
        assert_eq!(x.dtype(), DType::F32, "kernels take f32");
        FlexValues(if x.is_contiguous() { x } else { x.to_contiguous() })
    }

    fn take(x: FloatTensor<Self>) -> Result<Vec<f32>, FlexValues> {
        let whole = x.is_contiguous()
            && x.layout().start_offset() == 0
            && x.bytes().len() == 4 * x.layout().num_elements();
        if whole && x.is_unique() {
            return Ok(x.into_data().try_into_vec().expect("kernels take f32"));
        }
        Err(Self::read(x))
    }

    fn with_matrix<R>(x: &FloatTensor<Self>, f: impl FnOnce(ArrayView2<'_, f32>) -> R) -> R {
        match x.dtype() {
            DType::F32 => f(strided(x.layout(), x.storage())),
            DType::F16 => f(strided(x.layout(), x.storage()).mapv(f16::to_f32).view()),
            DType::BF16 => f(strided(x.layout(), x.storage()).mapv(bf16::to_f32).view()),
            other => panic!("kernels take f32, f16 and bf16 matrices, not {other:?}"),
        }
    }

    fn make(values: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        assert_eq!(values.len(), shape.num_elements(), "values of the shape");
        FlexTensor::new(bytes(values), Layout::contiguous(shape), DType::F32)
    }

    fn indices(x: IntTensor<Self>) -> Vec<usize> {
        to_indices(&x.into_data())
    }

    fn truths(x: BoolTensor<Self>) -> Vec<bool> {
        x.into_data().iter::<bool>().collect()
    }
}

/// A matrix in a storage that it may share with others.
fn strided<'a, E>(layout: &Layout, storage: &'a [E]) -> ArrayView2<'a, E> {
    let [rows, cols] = [layout.shape()[0], layout.shape()[1]];
    let [down, right] = [layout.strides()[0] as usize, layout.strides()[1] as usize];
    let values = &storage[layout.start_offset()..];
    ArrayView2::from_shape((rows, cols).strides((down, right)), values)
        .expect("a layout within its storage, without flipped axes")
}

fn to_indices(data: &TensorData) -> Vec<usize> {
    data.iter::<i64>().map(|index| index as usize).collect()
}
